import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { systemClock as clock, createWatch, systemRandom as random } from '@heddle/runtime'
import { applyPatch } from 'rfc6902'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWebhookServer, inject, type ServerIdentity, type WebhookServer } from '../src/index.js'

interface Reply {
  status: number
  body: string
  serial: string
}
const identity = createWatch<ServerIdentity | undefined>(undefined)
let server: WebhookServer
let port: number
let root: string

async function renew(): Promise<void> {
  const authority = await createSelfSignedAuthority({ clock })
  root = authority.trustBundle.current.join('\n')
  const certificate = createServerCertificate({ authority, names: [{ dns: 'istiod.istio-system.svc' }], clock, random })
  identity.set(await certificate.ready())
  certificate.close()
}

beforeAll(async () => {
  server = createWebhookServer({ identity, maxBytes: 200_000 })
  await renew()
  port = Number((await server.listen('127.0.0.1:0')).split(':')[1])
})
afterAll(() => server.close())

function send(body: string, { path = '/inject', method = 'POST', type = 'application/json' } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', servername: 'istiod.istio-system.svc', port, path, method, ca: root, agent: false }
    const call = request({ ...options, headers: { 'content-type': type } }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate()
      let text = ''
      response.on('data', (bytes) => (text += String(bytes)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, serial: serialNumber }))
    })
    call.on('error', reject)
    call.end(body)
  })
}

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', labels: { app: 'a' } },
  spec: { containers: [{ name: 'app', image: 'a' }] },
}
// As kube-apiserver writes it, shortened.
const review = (object: unknown, apiVersion = 'admission.k8s.io/v1', more: object = {}) =>
  JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion,
    request: {
      uid: 'a7a0e8f4-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
      ...more,
    },
  })

test.each(['v1', 'v1beta1'])('%s: the patch makes the injected pod', async (version) => {
  const { status, body } = await send(review(pod, `admission.k8s.io/${version}`))
  expect(status).toBe(200)
  const { apiVersion, response } = JSON.parse(body) as { apiVersion: string; response: { uid: string; patch: string } }
  expect(apiVersion).toBe(`admission.k8s.io/${version}`)
  const got = structuredClone(pod)
  applyPatch(got, JSON.parse(Buffer.from(response.patch, 'base64').toString()) as Parameters<typeof applyPatch>[1])
  const wanted = inject({ ...pod, metadata: { ...pod.metadata, namespace: 'shop' } })
  const spec = wanted.ok ? wanted.value.object['spec'] : undefined
  expect(got.spec).toEqual(JSON.parse(JSON.stringify(spec)))
})

test.each<[string, string, object, number, RegExp]>([
  ['no JSON', '{"kind":', {}, 400, /no JSON/],
  ['empty', '', {}, 400, /no JSON/],
  ['wrong kind', '{"kind":"Pod"}', {}, 400, /kind must be AdmissionReview/],
  ['unknown version', '{"kind":"AdmissionReview","apiVersion":"v7"}', {}, 400, /apiVersion must be/],
  ['no pod', review({ kind: 'Deployment', spec: {} }), {}, 400, /about a Deployment/],
  ['no object', review(null), {}, 400, /request.object must be a pod/],
  ['nested', `${'['.repeat(100_000)}`, {}, 400, /nested deeper/],
  ['huge', review({ ...pod, x: 'x'.repeat(300_000) }), {}, 413, /at most 200000 bytes/],
  ['another type', 'a: b', { type: 'text/yaml' }, 415, /application\/json/],
  ['another method', '', { method: 'GET' }, 405, /POST/],
  ['another path', '', { path: '/validate' }, 404, /\/inject/],
])('%s is refused, and says why', async (_what, body, options, status, why) => {
  const got = await send(body, options)
  expect({ status: got.status, body: got.body }).toEqual({ status, body: expect.stringMatching(why) })
})

test('without a namespace it is one of the default namespace; a pod that cannot be injected is refused in words', async () => {
  expect((await send(review(pod, undefined, { namespace: undefined }))).status).toBe(200)
  const bad = { ...pod, metadata: { annotations: { 'sidecar.istio.io/inject': 'true', 'inject.istio.io/templates': 'none' } } }
  const { status, body } = await send(review(bad))
  expect(status).toBe(200)
  expect(JSON.parse(body)).toMatchObject({
    response: { allowed: false, status: { code: 400, message: expect.stringContaining('template') } },
  })
})

test('a renewed certificate is served by the same listener', async () => {
  const before = await send('', { path: '/ready', method: 'GET' })
  await renew()
  const after = await send('', { path: '/ready', method: 'GET' })
  expect(after.status).toBe(200)
  expect(after.serial).not.toBe(before.serial)
})
