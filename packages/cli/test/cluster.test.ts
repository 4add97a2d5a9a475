import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadClientConfig } from '@heddle/config-model/kubernetes'
import { createFakeApiServer, type FakeApiServer } from '@heddle/config-model/kubernetes/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { loadCommands } from '../src/commands/index.js'
import { main } from '../src/main.js'
import { createTestIo } from '../src/testing.js'

const GATEWAY_API = 'gateway.networking.k8s.io/v1'
const RESOURCES = [
  { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true },
  { apiVersion: GATEWAY_API, kind: 'GatewayClass', plural: 'gatewayclasses', namespaced: false },
  { apiVersion: GATEWAY_API, kind: 'Gateway', plural: 'gateways', namespaced: true },
  { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true },
]
const slice = (...addresses: string[]) => ({
  metadata: { name: 'tea-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'tea' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080 }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
})

// Loaded before, so that no test waits for it.
beforeAll(async () => {
  await loadCommands(['control-plane'])
  await loadClientConfig({ file: '/nowhere' }).catch(() => {})
}, 120_000)

let folder: string
let api: FakeApiServer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cluster-'))
  api = await createFakeApiServer(RESOURCES)
})
afterEach(async () => {
  await api.close()
  rmSync(folder, { recursive: true, force: true })
})

const kubeconfig = (): string => {
  const file = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'here',
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}
const soon = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 20 })

test('control-plane serves a cluster, follows it, and writes statuses from the replica that holds the lease', async () => {
  api.set('services', {
    metadata: { name: 'tea', namespace: 'shop' },
    spec: { selector: { app: 'tea' }, ports: [{ name: 'http', port: 80 }] },
  })
  api.set('endpointslices', slice('10.1.0.1'))
  api.set('gatewayclasses', { metadata: { name: 'istio' }, spec: { controllerName: 'istio.io/gateway-controller' } })
  api.set('gateways', {
    metadata: { name: 'door', namespace: 'shop' },
    spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  })
  const ready = join(folder, 'ready.txt')
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const io = Object.create(createTestIo(), {
    stopped: { value: () => stopped },
    env: { value: { POD_NAME: 'replica-a', POD_NAMESPACE: 'mesh-system' } },
  }) as ReturnType<typeof createTestIo>
  const addresses = ['--grpc-addr', '127.0.0.1:0', '--http-addr', '127.0.0.1:0', '--ready-file', ready]
  const code = main(['control-plane', '--kubeconfig', kubeconfig(), '--context', 'here', '--write-status', ...addresses], io)
  await soon(() => expect([existsSync(ready), io.stderr]).toEqual([true, '']))
  expect(io.stdout).toContain(`serving ${api.url}: `)
  const { http } = JSON.parse(readFileSync(ready, 'utf8')) as { http: string }
  const endpoints = async (): Promise<string> => (await fetch(`http://${http}/debug/endpointz?brief`)).text()
  expect(await endpoints()).toContain('10.1.0.1')
  api.set('endpointslices', slice('10.1.0.1', '10.1.0.2'))
  await soon(async () => expect(await endpoints()).toContain('10.1.0.2'))
  await soon(() =>
    expect(api.object('gateways', 'shop', 'door')?.['status']).toMatchObject({
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'Accepted', status: 'True' })]),
    }),
  )
  expect(api.object('leases', 'mesh-system', 'heddle-status-leader')?.['spec']).toMatchObject({ holderIdentity: 'replica-a' })
  expect(new Set(api.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-token']))
  stop()
  expect(await code).toBe(0)
  expect(api.object('leases', 'mesh-system', 'heddle-status-leader')?.['spec']).toMatchObject({ holderIdentity: '' })
})

describe('wrong use', () => {
  test.each([
    [['--in-cluster'], 66, 'KUBERNETES_SERVICE_HOST'],
    [['--in-cluster', '--config', '.'], 64, 'exclude each other'],
    [['--config', '.', '--write-status'], 64, 'wants a cluster'],
    [['--config', '.', '--context', 'x'], 64, 'chooses from a --kubeconfig'],
    [['--kubeconfig', '/nowhere/kubeconfig'], 66, '/nowhere/kubeconfig'],
  ])('%j', async (argv, code, says) => {
    const io = createTestIo()
    expect(await main(['control-plane', ...argv], io)).toBe(code)
    expect(io.stderr).toContain(says)
  })

  test('a context that is not there', async () => {
    const io = createTestIo()
    expect(await main(['control-plane', '--kubeconfig', kubeconfig(), '--context', 'there'], io)).toBe(66)
    expect(io.stderr).toContain('has no context there; it has here')
  })
})
