import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RoundContext } from '../../bench-case.js'
import { heddleCommand } from '../../commands.js'
import { findEnvoy, findHaproxy } from '../../peers/find.js'
import { type CertificateFiles, downstreamTls } from '../http-proxy/certificate.js'
import type { HttpProxy as ReverseProxy } from '../http-proxy/proxies.js'
import { typed } from '../http-proxy/typed.js'

/** Undefined: no TLS. */
type Tls = ((context: RoundContext) => Promise<CertificateFiles>) | undefined

export function heddle(tls?: Tls): ReverseProxy {
  return {
    async command(context, port, upstream) {
      const file = await writeBootstrap(context, port, upstream, await tls?.(context))
      return [...heddleCommand(context.built), 'proxy', '-c', file, '--concurrency', '1', '--log-level', 'error']
    },
  }
}

/** Takes the very same file as ours. */
export function envoy(tls?: Tls): ReverseProxy {
  return {
    async command(context, port, upstream) {
      const file = await writeBootstrap(context, port, upstream, await tls?.(context))
      return [findEnvoy()!.path, '-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
    },
  }
}

/** With its defaults, no splicing. */
export function haproxy(tls?: Tls): ReverseProxy {
  return {
    async command(context, port, upstream) {
      const file = join(context.folder, 'haproxy.cfg')
      const files = await tls?.(context)
      const secure = files === undefined ? '' : ` ssl crt ${files.both}`
      await writeFile(
        file,
        `global
  nbthread 1
  maxconn 9000
defaults
  mode tcp
  timeout connect 10s
  timeout client 600s
  timeout server 600s
listen in
  bind 127.0.0.1:${port}${secure}
  server app 127.0.0.1:${upstream}
`,
      )
      return [findHaproxy()!.path, '-db', '-q', '-f', file]
    },
  }
}

async function writeBootstrap(
  context: RoundContext,
  port: number,
  upstream: number,
  files: CertificateFiles | undefined,
): Promise<string> {
  const file = join(context.folder, 'bootstrap.json')
  const socketAddress = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })
  const proxy = typed('filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'in', cluster: 'app' })
  const chain = {
    filters: [{ name: 'envoy.filters.network.tcp_proxy', typed_config: proxy }],
    ...(files === undefined ? {} : { transport_socket: downstreamTls(files, []) }),
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: socketAddress(upstream) } }] }]
  const most = { max_connections: 100_000, max_pending_requests: 100_000 }
  const cluster = {
    name: 'app',
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: { thresholds: [most] },
    load_assignment: { cluster_name: 'app', endpoints },
  }
  const listener = { name: 'in', address: socketAddress(port), filter_chains: [chain] }
  await writeFile(file, JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } }))
  return file
}
