import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import {
  createCertificateAuthenticator,
  createCsr,
  createFixedAuthenticator,
  createKey,
  createSelfSignedAuthority,
  createWorkloadCertificate,
  firstOf,
  type Identity,
  issueIdentity,
  normalSerial,
  workloadGrant,
} from '@heddle/ca'
import { createCertificateClient } from '@heddle/ca/grpc'
import { type ServedControlPlane, serveControlPlane } from '@heddle/mesh'
import { createGrpcTransport, createIdentitySecrets, createProxy } from '@heddle/proxy-core'
import { systemClock as clock, createWatch, systemRandom as random } from '@heddle/runtime'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const ENTRY = `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: app, namespace: shop}
spec: {address: 127.0.0.1, labels: {app: app}, serviceAccount: app}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: shop}
spec:
  selector: {app: app}
  ports: [{name: http, port: 8000}]
`
const node = {
  id: 'sidecar~127.0.0.1~app.shop~shop.svc.cluster.local',
  metadata: { NAMESPACE: 'shop', SERVICE_ACCOUNT: 'app', INTERCEPTION_MODE: 'NONE', UNPRIVILEGED_POD: 'true' },
}
const bootstrap = {
  node,
  dynamic_resources: {
    ads_config: {
      api_type: 'DELTA_GRPC',
      transport_api_version: 'V3',
      grpc_services: [{ google_grpc: { target_uri: 'unused:1', stat_prefix: 'xds' } }],
    },
    lds_config: { ads: {} },
    cds_config: { ads: {} },
  },
}

let folder: string
let served: ServedControlPlane | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-mesh-test-'))
  writeFileSync(join(folder, 'app.yaml'), ENTRY)
})
afterEach(async () => {
  await served?.close()
  served = undefined
  rmSync(folder, { recursive: true, force: true })
})

test('a proxy gets what the folder says over plaintext, and the debug pages tell of it', async () => {
  served = await serveControlPlane({ config: folder, grpcAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0' })
  const { grpc = '', http = '' } = served.addresses
  const proxy = createProxy({ bootstrap, transport: createGrpcTransport({ target: grpc }) })
  await proxy.start()
  await vi.waitFor(() => expect(proxy.ready.current).toBe(true), 20_000)
  expect(proxy.inForce.clusters('outbound|8000||app.shop.svc.cluster.local')).toBeDefined()
  const page = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://${http}${path}`)
    return { status: response.status, text: await response.text() }
  }
  expect(await page('/ready')).toEqual({ status: 200, text: 'ready\n' })
  expect((await page('/debug/syncz')).text).toContain(node.id)
  expect((await page(`/debug/config_dump?proxyID=${encodeURIComponent(node.id)}`)).text).toContain(
    'outbound|8000||app.shop.svc.cluster.local',
  )
  expect((await page('/metrics')).text).toMatch(/^pilot_services 1$/m)
  expect((await page('/nothing')).status).toBe(404)
  for (const { path } of JSON.parse((await page('/debug/list')).text) as { path: string }[])
    expect((await page(`${path}?proxyID=${encodeURIComponent(node.id)}`)).status).toBe(200)
  expect((await page('/debug/config_dump?proxyID=nobody')).status).toBe(404)
  await proxy.close()
})

test('CVE-2026-31838: plaintext xDS tells nothing of other proxies', async () => {
  served = await serveControlPlane({ config: folder, grpcAddress: '127.0.0.1:0' })
  const client = new Client(served.addresses.grpc ?? '', credentials.createInsecure())
  const ask = (path: string, request: Uint8Array): Promise<{ received: Buffer[]; code: number }> =>
    new Promise((resolve) => {
      const received: Buffer[] = []
      const pass = (bytes: Buffer): Buffer => bytes
      const call = client.makeBidiStreamRequest(path, pass, pass)
      call.on('data', (bytes: Buffer) => received.push(bytes))
      call.on('error', () => {})
      call.on('status', ({ code }) => resolve({ received, code }))
      call.write(Buffer.from(request))
      setTimeout(() => call.end(), 100)
    })
  for (const type_url of ['istio.io/debug', 'istio.io/connections', 'istio.io/debug/syncz']) {
    const request = DiscoveryRequest.encode({ node, type_url, resource_names: ['syncz', 'config_dump?proxyID=*', 'connections'] })
    const { received } = await ask('/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources', request)
    const resources = received.flatMap((bytes): readonly unknown[] => {
      const decoded = DiscoveryResponse.decode(bytes)
      return decoded.ok ? (decoded.value.resources ?? []) : ['not decoded']
    })
    expect(resources, type_url).toEqual([])
  }
  const status = await ask('/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus', new Uint8Array())
  expect(status).toEqual({ received: [], code: 12 })
  client.close()
})

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

test.skipIf(outside === undefined)('CVE-2026-31838: debug pages are for callers of this machine only', async () => {
  served = await serveControlPlane({ config: folder, httpAddress: '0.0.0.0:0' })
  const port = (served.addresses.http ?? '').split(':').at(-1)
  const statusOf = async (host: string, path: string): Promise<number> => (await fetch(`http://${host}:${port}${path}`)).status
  for (const path of [
    '/debug/list',
    '/debug/syncz',
    '/debug/config_dump?proxyID=x',
    '/debug/diagnostics',
    '/debug',
    '/debug/x',
  ]) {
    expect(await statusOf(outside ?? '', path), path).toBe(403)
    expect(await statusOf('127.0.0.1', path), path).not.toBe(403)
  }
  for (const path of ['/ready', '/metrics', '/spiffe-bundle']) expect(await statusOf(outside ?? '', path), path).toBe(200)
})

test('over TLS a caller gets its certificate, and may only be its own node', async () => {
  const authority = await createSelfSignedAuthority({ clock })
  const authenticate = createFixedAuthenticator(
    new Map([['token', { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'app' }]]),
  )
  served = await serveControlPlane({ config: folder, secureGrpcAddress: '127.0.0.1:0', authority, authenticate })
  const address = served.addresses.secureGrpc ?? ''
  const [root = ''] = authority.trustBundle.current
  const serverName = 'istiod.istio-system.svc'
  const client = createCertificateClient({
    address,
    clock,
    token: () => 'token',
    credentials: credentials.createSsl(Buffer.from(root)),
    channelOptions: { 'grpc.ssl_target_name_override': serverName },
  })
  const certificate = createWorkloadCertificate({ clock, random, request: client.request })
  expect((await certificate.ready()).spiffeId).toBe('spiffe://cluster.local/ns/shop/sa/app')

  const start = async (metadata: Record<string, string>): Promise<ReturnType<typeof createProxy>> => {
    const transport = createGrpcTransport({
      target: address,
      tls: () => ({ rootCertificates: root, serverName }),
      metadata: async () => ({ authorization: 'Bearer token' }),
    })
    const proxy = createProxy({
      bootstrap: { ...bootstrap, node: { ...node, metadata: { ...node.metadata, ...metadata } } },
      transport,
      secrets: createIdentitySecrets(certificate.identity),
    })
    await proxy.start()
    return proxy
  }
  const own = await start({})
  await vi.waitFor(() => expect(own.ready.current).toBe(true), 20_000)
  const foreign = await start({ SERVICE_ACCOUNT: 'somebody-else' })
  await vi.waitFor(() => expect(foreign.xds?.lastError ?? '').toContain('somebody-else'), 20_000)
  expect(foreign.ready.current).toBe(false)
  await Promise.all([own.close(), foreign.close()])
  certificate.close()
  client.close()
})

test('over TLS a certificate of the authority is as good as a token; one of a stranger, or one taken back, proves nobody', async () => {
  const [authority, stranger] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
  const tokens = new Map([['token', { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'app' }]])
  const authenticate = firstOf([createCertificateAuthenticator(), createFixedAuthenticator(tokens)])
  const revoked = new Set<string>()
  const revocations = { isRevoked: (serial: string) => revoked.has(serial) }
  served = await serveControlPlane({ config: folder, secureGrpcAddress: '127.0.0.1:0', authority, authenticate, revocations })
  const [target, serverName] = [served.addresses.secureGrpc ?? '', 'istiod.istio-system.svc']
  const [rootCertificates = ''] = authority.trustBundle.current
  const grant = workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'app' })
  const [own, forged] = [await issueIdentity(authority, grant), await issueIdentity(stranger, grant)]

  type Credentials = { identity?: Pick<Identity, 'privateKey' | 'certificateChain'>; token?: string }
  /** Whether xDS answers, and who the CA signs for. */
  const outcome = async ({ identity, token }: Credentials): Promise<[boolean, string]> => {
    const transport = createGrpcTransport({
      target,
      tls: () => ({ rootCertificates, serverName, ...identity }),
      metadata: async () => (token === undefined ? {} : { authorization: `Bearer ${token}` }),
    })
    const proxy = createProxy({ bootstrap, transport, secrets: createIdentitySecrets(createWatch(own)) })
    await proxy.start()
    await vi.waitFor(() => expect(proxy.ready.current || (proxy.xds?.lastError ?? '') !== '').toBe(true), 20_000)
    const answered = proxy.ready.current
    await proxy.close()
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
    const client = createCertificateClient({
      ...{ address: target, clock, token: () => token },
      credentials: credentials.createSsl(
        Buffer.from(rootCertificates),
        pem(identity?.privateKey),
        pem(identity?.certificateChain),
      ),
      channelOptions: { 'grpc.ssl_target_name_override': serverName },
    })
    const signed = await client.request(createCsr(await createKey())).then(
      ({ chain }) => new X509Certificate(chain[0] ?? '').subjectAltName ?? '',
      (error: { details: string }) => error.details,
    )
    client.close()
    return [answered, signed]
  }
  const granted = [true, 'URI:spiffe://cluster.local/ns/shop/sa/app']
  const denied = [false, expect.stringContaining('no client certificate')]
  expect(await outcome({ token: 'token' })).toEqual(granted)
  expect(await outcome({ identity: own })).toEqual(granted)
  expect(await outcome({})).toEqual(denied)
  expect(await outcome({ identity: forged })).toEqual(denied)
  expect(await outcome({ identity: forged, token: 'token' })).toEqual(granted)
  revoked.add(normalSerial(new X509Certificate(own.certificateChain).serialNumber))
  expect(await outcome({ identity: own })).toEqual(denied)
})

test('what cannot be served is said at once', async () => {
  await expect(serveControlPlane({ config: join(folder, 'nowhere') })).rejects.toThrow(/nowhere/)
  await expect(serveControlPlane({ config: folder, grpcAddress: 'nonsense' })).rejects.toThrow()
  await expect(serveControlPlane({ config: folder, secureGrpcAddress: '127.0.0.1:0' })).rejects.toThrow(/authority/)
})
