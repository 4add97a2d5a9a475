import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { loadCommands } from '../src/commands/index.js'
import { main } from '../src/main.js'
import { createTestIo } from '../src/testing.js'

// Loaded before, so that no wait of a test counts it.
beforeAll(async () => {
  await loadCommands(['control-plane', 'proxy', 'proxy-status', 'proxy-config', 'proxy-config log', 'version'])
}, 120_000)

/** Free now, and below the range from which systems hand out ports: nobody takes it by chance until it is used. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) return port
  }
}

/** A command that runs until `stop`. */
function start(...argv: string[]): { stop(): Promise<number>; output(): string } {
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const io = createTestIo()
  const code = main(argv, Object.create(io, { stopped: { value: () => stopped } }) as typeof io)
  return {
    output: () => io.stdout + io.stderr,
    stop() {
      stop()
      return code
    },
  }
}

const soon = async <T>(read: () => T | undefined): Promise<T> => {
  let value: T | undefined
  await vi.waitFor(() => {
    value = read()
    if (value === undefined) throw new Error('not yet')
  }, 20_000)
  return value as T
}
// A file that is there may be empty still.
const contentOf = (file: string) => (): string | undefined => (existsSync(file) && readFileSync(file, 'utf8')) || undefined

test('heddle control-plane drives heddle proxy, and both stop when asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-serving-'))
  const port = await freePort()
  const listener = (text: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello, namespace: edge}
spec:
  hosts: ['*']
  gateways: [door]
  http:
  - directResponse: {status: 200, body: {string: ${text}}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: edge}
spec:
  selector: {istio: door}
  servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: ['*']}]
`
  writeFileSync(join(folder, 'edge.yaml'), listener('hello'))
  const [ready, admin, bootstrap] = ['ready.txt', 'admin.txt', 'bootstrap.txt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const controlPlane = start(
    'control-plane',
    '--config',
    folder,
    '--grpc-addr',
    '127.0.0.1:0',
    '--http-addr',
    '127.0.0.1:0',
    '--ready-file',
    ready,
  )
  const addresses = JSON.parse(await soon(contentOf(ready))) as { grpc: string; http: string; secureGrpc?: string }
  expect(addresses.secureGrpc).toBeUndefined()
  const [host, grpcPort] = addresses.grpc.split(':')
  writeFileSync(
    bootstrap,
    `node: {metadata: {NAMESPACE: edge, LABELS: {istio: door}}}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
dynamic_resources:
  ads_config: {api_type: DELTA_GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds}}]}
  lds_config: {ads: {}, resource_api_version: V3}
  cds_config: {ads: {}, resource_api_version: V3}
static_resources:
  clusters:
  - name: xds
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {'@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}
    load_assignment: {cluster_name: xds, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ${host}, port_value: ${grpcPort}}}}}]}]}
`,
  )
  const node = 'router~127.0.0.1~door.edge~edge.svc.cluster.local'
  const proxy = start(
    'proxy',
    '-c',
    bootstrap,
    '--admin-address-path',
    admin,
    '--service-node',
    node,
    '--log-level',
    'warning',
    '--drain-time-s',
    '1',
  )
  const adminAddress = await soon(contentOf(admin))
  const answer = async (url: string): Promise<string> => {
    const response = await fetch(url)
    return `${response.status} ${await response.text()}`
  }
  await vi.waitFor(async () => expect(await answer(`http://${adminAddress}/ready`)).toBe('200 LIVE\n'), 20_000)
  await vi.waitFor(async () => expect(await answer(`http://127.0.0.1:${port}/`)).toBe('200 hello'), 20_000)
  expect(await answer(`http://${addresses.http}/debug/syncz`)).toContain(node)
  const heddle = async (...argv: string[]): Promise<string> => {
    const io = createTestIo()
    expect([await main(argv, io), io.stderr], io.stdout).toEqual([0, ''])
    return io.stdout
  }
  const [head, row] = (await heddle('proxy-status', '--address', addresses.http)).split('\n')
  expect(head?.split(/\s{2,}/)).toEqual(['NAME', 'CLUSTER', 'CDS', 'LDS', 'EDS', 'RDS', 'ECDS', 'ISTIOD', 'VERSION'])
  expect(row?.split(/\s{2,}/).slice(0, 7)).toEqual([
    'door.edge',
    'Kubernetes',
    'SYNCED',
    'SYNCED',
    'NOT SENT',
    'SYNCED',
    'NOT SENT',
  ])
  const routes = ['NAME           DOMAINS     MATCH     VIRTUAL SERVICE', `http.${port}     *           /*        hello.edge`, '']
  expect((await heddle('proxy-config', 'route', 'door', '--address', addresses.http)).split('\n')).toEqual(routes)
  // The proxy itself tells the same.
  expect((await heddle('proxy-config', 'route', '--address', adminAddress)).split('\n')).toEqual(routes)
  expect(await heddle('version', '--address', addresses.http)).toMatch(/\ndata plane version: .+ \(1 proxy\)\n$/)
  // It holds what it was sent; an older dump does not.
  const compare = ['proxy-status', 'door', '--address', addresses.http]
  expect(await heddle(...compare, '--admin-address', adminAddress)).toMatch(
    /\n\nClusters Match\nListeners Match\nRoutes Match\n$/,
  )
  expect(await heddle(...compare)).toMatch(/--admin-address ADDR or -f DUMP compares/)
  const dump = await (await fetch(`http://${adminAddress}/config_dump`)).text()
  writeFileSync(join(folder, 'dump.txt'), dump.replaceAll('hello.edge', 'older.edge').replaceAll('"hello"', '"older"'))
  const io = createTestIo()
  expect(await main([...compare, '-f', join(folder, 'dump.txt')], io)).toBe(1)
  expect(io.stdout).toMatch(
    /Listeners Match\n--- Control plane Routes\n\+\+\+ Proxy Routes\n# http\.\d+\n@@ [\s\S]*^- .*"hello"[\s\S]*^\+ .*"older"/m,
  )
  expect(await heddle('proxy-config', 'log', '--address', adminAddress)).toBe('active loggers:\n  heddle: warning\n')
  expect(
    JSON.parse(await heddle('proxy-config', 'log', '--address', adminAddress, '--level', 'heddle:error', '-o', 'json')),
  ).toEqual({
    loggers: { heddle: 'error' },
  })
  expect(await heddle('proxy-config', 'log', '--address', adminAddress, '-r')).toBe('active loggers:\n  heddle: warning\n')
  expect(await main(['proxy-config', 'log', '--address', adminAddress, '--level', 'http:debug'], createTestIo())).toBe(64)
  expect(await main(['proxy-config', 'log', '--address', addresses.http], createTestIo())).toBe(66)
  writeFileSync(join(folder, 'edge.yaml'), listener('changed'))
  await vi.waitFor(async () => expect(await answer(`http://127.0.0.1:${port}/`)).toBe('200 changed'), 20_000)
  expect(await proxy.stop()).toBe(0)
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  expect(await controlPlane.stop()).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})
