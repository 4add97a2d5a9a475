import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { createProxy } from '../src/index.js'
import { type Identity, issue } from './certificates.js'
import { later, listener } from './support.js'

// TLS that passes through to whatever server the client names: what istiod makes of a ServiceEntry with resolution DYNAMIC_DNS.

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const INSPECTOR = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: { '@type': `${EXTENSIONS}.filters.listener.tls_inspector.v3.TlsInspector` },
}
const FORMAT = '%REQUESTED_SERVER_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %RESPONSE_FLAGS% %DOWNSTREAM_LOCAL_CLOSE_REASON%\n'

let identity: Identity
beforeAll(() => {
  identity = issue({ commonName: 'bazaar' })
})

/** Its server tells the name that it was asked for; `.example` is on this machine, and nothing else has an address. */
async function start(cache: object = {}) {
  const server = createServer({ key: identity.key, cert: identity.certificate }, (socket) =>
    socket.on('error', () => {}).end(String((socket as { servername?: string }).servername)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(async () => void server.close())
  const port = (server.address() as AddressInfo).port
  const dns_cache_config = { name: 'bazaar', dns_lookup_family: 'V4_ONLY', ...cache }
  const sni = {
    name: 'envoy.extensions.filters.network.sni_dynamic_forward_proxy',
    typed_config: {
      '@type': `${EXTENSIONS}.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`,
      ...{ dns_cache_config, port_value: port },
    },
  }
  const log = {
    name: 'log',
    typed_config: {
      '@type': `${EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog`,
      log_format: { text_format_source: { inline_string: FORMAT } },
    },
  }
  const tcp = {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': `${EXTENSIONS}.filters.network.tcp_proxy.v3.TcpProxy`,
      ...{ stat_prefix: 'bazaar', cluster: '*.example', access_log: [log] },
    },
  }
  const forward = {
    '@type': `${EXTENSIONS}.clusters.dynamic_forward_proxy.v3.ClusterConfig`,
    dns_cache_config,
  }
  const cluster_type = { name: 'envoy.clusters.dynamic_forward_proxy', typed_config: forward }
  const { filter_chains: _, ...rest } = listener('l', tcp) as Record<string, unknown>
  const lines: string[] = []
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [{ ...rest, listener_filters: [INSPECTOR], filter_chains: [{ filters: [sni, tcp] }] }],
        clusters: [{ name: '*.example', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '5s', cluster_type }],
      },
    },
    lookup: (name) => (name.endsWith('.example') ? Promise.resolve(['127.0.0.1']) : Promise.reject(new Error('ENOTFOUND'))),
    accessLogSinks: () => ({ write: (line) => lines.push(line) }),
  })
  await proxy.start()
  later(() => proxy.close())
  const listening = proxy.listeners[0]?.address.port ?? 0
  return {
    port,
    /** What a client hears that names `servername`, and the line that is logged. */
    async call(servername: string) {
      const before = lines.length
      const heard = await new Promise<string>((resolve) => {
        let text = ''
        const socket = connect({ port: listening, host: '127.0.0.1', servername, rejectUnauthorized: false })
        socket.on('data', (bytes: Buffer) => {
          text += bytes.toString()
        })
        socket.on('error', () => {})
        socket.on('close', () => resolve(text))
      })
      await expect.poll(() => lines.length).toBe(before + 1)
      return [heard, lines[before]?.trim()]
    },
  }
}

test('a connection goes to the server that it names, whose TLS it speaks', async () => {
  const { port, call } = await start()
  expect(await call('a.example')).toEqual(['a.example', `a.example *.example 127.0.0.1:${port} - -`])
  expect(await call('B.example')).toEqual(['B.example', `b.example *.example 127.0.0.1:${port} - -`])
})

test('a name without an address, and no name, have nowhere to go (UH)', async () => {
  const { call } = await start()
  expect(await call('nobody.test')).toEqual(['', 'nobody.test *.example - UH tcp_initializion_failure:1'])
  expect(await call('')).toEqual(['', '- *.example - UH tcp_initializion_failure:1'])
})

test('when the cache holds max_hosts, new names are turned away before a cluster is asked', async () => {
  const { port, call } = await start({ max_hosts: 1 })
  expect(await call('a.example')).toEqual(['a.example', `a.example *.example 127.0.0.1:${port} - -`])
  expect(await call('b.example')).toEqual(['', 'b.example - - - -'])
})
