import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { type Caller, createCaller } from '../src/call.js'
import { describeCell } from '../src/cell.js'
import type { DataPlane } from '../src/data-plane.js'
import { envoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { heddleProxy } from '../src/heddle-proxy.js'
import { allowOnly, service, sidecar, strictMutualTls, workloadEntry } from '../src/kinds.js'
import { createInteropMesh, type InteropMesh } from '../src/mesh.js'
import { findEnvoy } from '../src/tools.js'

// One hop between two sidecars, of which at least one is Envoy: client -> its sidecar -> mTLS -> the server's sidecar -> app.
const CLIENT = { app: 'client' }
const SERVER = { app: 'server' }
const TIMEOUT_MS = 90_000

const tool = findEnvoy()
const stock = envoy(tool)
const PAIRS: readonly (readonly [DataPlane, DataPlane])[] = [
  [stock, heddleProxy],
  [heddleProxy, stock],
  [stock, stock],
]

for (const [client, server] of PAIRS)
  describeCell({ controlPlane: '@heddle/mesh, Delta ADS', dataPlane: `${client.name} to ${server.name} by mTLS`, tool }, () =>
    checks(client, server),
  )

function checks(client: DataPlane, server: DataPlane): void {
  let app: App
  let mesh: InteropMesh
  let outbound: Caller
  let inbound: Caller

  beforeAll(async () => {
    mesh = await createInteropMesh()
    app = await startApp('server')
    const [httpProxyPort = 0, inboundPort = 0] = await freePorts(2)
    outbound = createCaller(httpProxyPort)
    inbound = createCaller(inboundPort)
    mesh.write(
      'mesh.yaml',
      strictMutualTls(),
      service('server', SERVER),
      workloadEntry('server', { labels: SERVER, port: inboundPort, mutual: true }),
      sidecar('server', SERVER, inboundPort, app.port),
    )
    await mesh.start(server, { name: 'server', labels: SERVER, variant: 'DELTA_GRPC' })
    await mesh.start(client, { name: 'client', labels: CLIENT, httpProxyPort, variant: 'DELTA_GRPC' })
  }, TIMEOUT_MS)

  afterAll(async () => {
    for (const caller of [outbound, inbound]) caller?.close()
    await mesh?.close()
    await app?.close()
  }, TIMEOUT_MS)

  test(
    'the request arrives, with the identity of the caller',
    async () => {
      await eventually(
        () => outbound.call('server'),
        ({ status, body }) => status === 200 && body === 'server',
      )
      const identity = String(app.lastHeaders['x-forwarded-client-cert'])
      expect(identity).toContain('By=spiffe://cluster.local/ns/shop/sa/server')
      expect(identity).toContain('URI=spiffe://cluster.local/ns/shop/sa/client')
      expect(await outbound.spread('server', 100)).toEqual({ server: 100 })
    },
    TIMEOUT_MS,
  )

  test('plaintext is turned away', () => expect(inbound.call('server')).rejects.toThrow(), TIMEOUT_MS)

  test(
    'an AuthorizationPolicy asks for the identity',
    async () => {
      mesh.write('policy.yaml', allowOnly('server', SERVER, 'somebody-else'))
      await eventually(
        () => outbound.call('server'),
        ({ status, body }) => status === 403 && body === 'RBAC: access denied',
      )
      mesh.write('policy.yaml', allowOnly('server', SERVER, 'client'))
      await eventually(
        () => outbound.call('server'),
        ({ status }) => status === 200,
      )
    },
    TIMEOUT_MS,
  )

  test('nothing was refused', () => expect(mesh.refusals).toEqual([]))
}
