import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { type ServedControlPlane, serveControlPlane } from '@heddle/mesh'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { addGreeter, bind, startGreeter } from '../src/greeter.js'
import { registerGrpcJs, who } from '../src/grpc-js-client.js'

// gRPC's own xDS client and server in JavaScript, configured by nothing but Istio's YAML.
const TIMEOUT_MS = 60_000
const TARGET = 'greet.shop.svc.cluster.local:7070'

const workload = (name: string, port: number): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {clusterIP: 10.9.0.${name.length}, selector: {app: ${name}}, ports: [{name: grpc, port: 7070, targetPort: 7070}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}, namespace: shop}
spec: {address: 127.0.0.1, ports: {grpc: ${port}}, labels: {app: ${name}, security.istio.io/tlsMode: disabled}, serviceAccount: ${name}}
---`

const RULES = `
apiVersion: v1
kind: Service
metadata: {name: greet, namespace: shop}
spec: {clusterIP: 10.9.0.9, ports: [{name: grpc, port: 7070}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: greet, namespace: shop}
spec:
  hosts: [greet]
  http:
    - match: [{headers: {x-to: {exact: third}}}]
      route: [{destination: {host: third}}]
    - retries: {attempts: 3, retryOn: unavailable}
      route: [{destination: {host: one}, weight: 90}, {destination: {host: second}, weight: 10}]
`

const folder = mkdtempSync(join(tmpdir(), 'heddle-proxyless-'))
const closers: (() => unknown)[] = []
let control: ServedControlPlane
let client: Client

const ask = (headers?: Readonly<Record<string, string>>): Promise<string> => who(client, headers)

describe('a grpc-js-xds client and server', () => {
  beforeAll(async () => {
    const plain = await Promise.all(
      ['second', 'third'].map(async (name) => {
        const greeter = await startGreeter(name)
        closers.push(greeter.close)
        return workload(name, greeter.port)
      }),
    )
    const [serverPort = 0] = await freePorts(1)
    writeFileSync(join(folder, 'mesh.yaml'), [...plain, workload('one', serverPort), RULES].join(''))
    control = await serveControlPlane({ config: folder, grpcAddress: '127.0.0.1:0' })
    const bootstrap = {
      xds_servers: [{ server_uri: control.addresses.grpc, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
      // Client and server are one process, so one node: that of the workload that the server is.
      node: {
        id: 'sidecar~127.0.0.1~one.shop~shop.svc.cluster.local',
        locality: { region: 'here' },
        metadata: {
          GENERATOR: 'grpc',
          NAMESPACE: 'shop',
          SERVICE_ACCOUNT: 'one',
          LABELS: { app: 'one', 'security.istio.io/tlsMode': 'disabled' },
          INSTANCE_IPS: '127.0.0.1',
        },
      },
      server_listener_resource_name_template: 'xds.istio.io/grpc/lds/inbound/%s',
    }
    const { XdsServer } = await registerGrpcJs(bootstrap)
    const server = new XdsServer()
    closers.push(() => server.forceShutdown())
    addGreeter(server, 'one')
    await bind(server, `0.0.0.0:${serverPort}`)
    client = new Client(`xds:///${TARGET}`, credentials.createInsecure())
  }, TIMEOUT_MS)

  afterAll(async () => {
    client?.close()
    for (const close of closers) close()
    await control?.close()
    rmSync(folder, { recursive: true, force: true })
  }, TIMEOUT_MS)

  test(
    'split 90 to 10',
    async () => {
      const found: Record<string, number> = {}
      await eventually(
        () => ask(),
        (name) => name === 'one' || name === 'second',
      )
      for (let i = 0; i < 400; i++) {
        const name = await ask()
        found[name] = (found[name] ?? 0) + 1
      }
      expect(Object.keys(found).sort()).toEqual(['one', 'second'])
      // Chance leaves these bounds once in a thousand million runs.
      expect(found['second']).toBeGreaterThan(8)
      expect(found['second']).toBeLessThan(85)
    },
    TIMEOUT_MS,
  )

  test('route by header', async () => {
    for (let i = 0; i < 20; i++) expect(await ask({ 'x-to': 'third' })).toBe('third')
  })

  test('retry what is unavailable', async () => {
    for (let i = 0; i < 20; i++) expect(['one', 'second']).toContain(await ask({ 'fail-first': '2' }))
    await expect(ask({ 'x-to': 'third', 'fail-first': '9' })).rejects.toThrow('UNAVAILABLE')
  })
})
