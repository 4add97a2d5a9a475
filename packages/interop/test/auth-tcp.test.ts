import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { createProxy } from '@heddle/proxy-core'
import { CheckRequest, CheckResponse } from '@heddle/xds-types/envoy/service/auth/v3'
import { expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { startEnvoy } from '../src/envoy.js'
import { freePorts } from '../src/free-ports.js'
import { bind, WHO } from '../src/greeter.js'
import { findEnvoy } from '../src/tools.js'

// Istio's CUSTOM policies on TCP, in the words of Envoy: RBAC marks connections, ext_authz asks about those that are marked.

const TYPE = 'type.googleapis.com/envoy.extensions.filters.network'
/** The service denies STRANGER; RBAC does not mark UNMARKED. */
const [FRIEND, STRANGER, UNMARKED] = ['127.0.0.2', '127.0.0.3', '127.0.1.1']
const CLIENTS = [FRIEND, STRANGER, UNMARKED] as const

const tool = findEnvoy()

describeWith(tool, 'network ext_authz beside Envoy', () => {
  test('connections are let in, asked about and closed alike, with the service and without it', async () => {
    const [envoyPort = 0, envoyOpenPort = 0, ownPort = 0, ownOpenPort = 0] = await freePorts(4)
    const app = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
    await once(app, 'listening')
    const service = await startAuthorization()
    const ports = { app: (app.address() as { port: number }).port, authorization: service.port }
    const envoy = await startEnvoy(tool, bootstrapOf({ ...ports, closed: envoyPort, open: envoyOpenPort }))
    const own = bootstrapOf({ ...ports, closed: ownPort, open: ownOpenPort })
    const proxy = createProxy({ bootstrap: { node: { id: 'test', cluster: 'test' }, ...own } })
    const outcomes = (port: number): Promise<boolean[]> => Promise.all(CLIENTS.map((client) => echoes(port, client)))
    try {
      await proxy.start()
      for (const port of [envoyPort, envoyOpenPort]) expect(await outcomes(port)).toEqual([true, false, true])
      const theirs = service.asked.splice(0)
      for (const port of [ownPort, ownOpenPort]) expect(await outcomes(port)).toEqual([true, false, true])
      expect(service.asked.sort()).toEqual(theirs.sort())
      service.close()
      // failure_mode_allow is set on the second.
      expect([await outcomes(envoyPort), await outcomes(envoyOpenPort)]).toEqual([
        [false, false, true],
        [true, true, true],
      ])
      expect([await outcomes(ownPort), await outcomes(ownOpenPort)]).toEqual([
        [false, false, true],
        [true, true, true],
      ])
    } finally {
      service.close()
      await proxy.close()
      await envoy.close()
      app.close()
    }
  }, 30_000)
})

/** An authorization service in gRPC, and whom it was asked about. */
async function startAuthorization(): Promise<{ port: number; asked: string[]; close(): void }> {
  const asked: string[] = []
  const Check = ({ request }: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
    const decoded = CheckRequest.decode(request)
    const { source, destination, request: http } = (decoded.ok && decoded.value.attributes) || {}
    const address = source?.address?.socket_address?.address ?? ''
    asked.push(`${address} to ${destination?.address?.socket_address?.address}${http === undefined ? '' : ' by HTTP'}`)
    reply(null, Buffer.from(CheckResponse.encode({ status: { code: address === STRANGER ? 7 : 0 } })))
  }
  const server = new Server()
  server.addService({ Check: { ...WHO, path: '/envoy.service.auth.v3.Authorization/Check' } }, { Check })
  const port = await bind(server, '127.0.0.1:0')
  return { port, asked, close: () => server.forceShutdown() }
}

/** Whether what a client sends comes back; else the connection was closed. */
function echoes(port: number, localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress }, () => socket.write('hello'))
    socket.on('error', () => {})
    socket.on('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.on('close', () => resolve(false))
  })
}

interface Ports {
  readonly closed: number
  readonly open: number
  readonly app: number
  readonly authorization: number
}

function bootstrapOf({ closed, open, app, authorization }: Ports): { static_resources: object } {
  const http2 = {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  }
  return {
    static_resources: {
      listeners: [listener('closed', closed, false), listener('open', open, true)],
      clusters: [cluster('app', app), { ...cluster('authorization', authorization), typed_extension_protocol_options: http2 }],
    },
  }
}

function listener(name: string, port: number, failure_mode_allow: boolean): object {
  const principals = [{ direct_remote_ip: { address_prefix: '127.0.0.0', prefix_len: 24 } }]
  const policy = { permissions: [{ any: true }], principals }
  const marking = {
    '@type': `${TYPE}.rbac.v3.RBAC`,
    stat_prefix: 'tcp.',
    shadow_rules: { action: 'DENY', policies: { 'istio-ext-authz-opa-ns[shop]-policy[tcp]-rule[0]': policy } },
    shadow_rules_stat_prefix: 'istio_ext_authz_',
  }
  const asking = {
    '@type': `${TYPE}.ext_authz.v3.ExtAuthz`,
    stat_prefix: 'tcp.',
    transport_api_version: 'V3',
    grpc_service: { envoy_grpc: { cluster_name: 'authorization' }, timeout: '5s' },
    filter_enabled_metadata: {
      filter: 'envoy.filters.network.rbac',
      path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
      value: { string_match: { prefix: 'istio-ext-authz-opa' } },
    },
    failure_mode_allow,
  }
  const filters = [
    { name: 'envoy.filters.network.rbac', typed_config: marking },
    { name: 'envoy.filters.network.ext_authz', typed_config: asking },
    {
      name: 'envoy.filters.network.tcp_proxy',
      typed_config: { '@type': `${TYPE}.tcp_proxy.v3.TcpProxy`, stat_prefix: 'app', cluster: 'app' },
    },
  ]
  return { name, address: socketAddress(port), filter_chains: [{ filters }] }
}

function cluster(name: string, port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: socketAddress(port) } }] }]
  return { name, type: 'STATIC', connect_timeout: '20s', load_assignment: { cluster_name: name, endpoints } }
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
