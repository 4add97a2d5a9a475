import { fork } from 'node:child_process'
import { Agent, request } from 'node:https'
import { createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { createWebhookServer, inject, jsonPatch } from '@heddle/injector'
import { systemClock as clock, systemRandom as random } from '@heddle/runtime'
import { serveWork } from './work.js'

// usage: (inject | webhook | load PORT). Pods to injected pods with their patches; or 1,000 reviews in flight to the webhook, by a process of their own.

const IN_FLIGHT = 1_000

const pod = (i: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: `cart-${i % 7}-`, namespace: 'shop', labels: { app: 'cart', version: `v${i % 3}` }, annotations: {} },
  spec: {
    serviceAccountName: 'cart',
    containers: [
      {
        name: 'app',
        image: 'shop/cart:1',
        ports: [{ containerPort: 8080, name: 'http' }],
        env: [{ name: 'REGION', value: 'eu' }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
        livenessProbe: { httpGet: { path: '/live', port: 8080 } },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
})
const review = (i: number): string =>
  JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: { uid: `u-${i}`, kind: { version: 'v1', kind: 'Pod' }, namespace: 'shop', operation: 'CREATE', object: pod(i) },
  })

if (process.argv[2] === 'load') serveLoad(Number(process.argv[3]), process.argv[4] ?? '')
else if (process.argv[2] === 'webhook') await serveWebhook()
else await serveInjections()

async function serveInjections(): Promise<void> {
  const pods = Array.from({ length: 64 }, (_, i) => pod(i))
  let next = 0
  const one = (): object => {
    const before = pods[next++ % pods.length]!
    const result = inject(before)
    if (!result.ok) throw new Error(result.diagnostics[0]?.message)
    return { object: result.value.object, patch: jsonPatch(before, result.value.object) }
  }
  await serveWork({ show: one, run: () => void one() })
}

async function serveWebhook(): Promise<void> {
  const authority = await createSelfSignedAuthority({ clock })
  const certificate = createServerCertificate({ authority, names: [{ ip: '127.0.0.1' }], clock, random })
  await certificate.ready()
  const server = createWebhookServer({ identity: certificate.identity })
  const port = Number((await server.listen('127.0.0.1:0')).split(':')[1])
  const load = fork(process.argv[1]!, ['load', String(port), authority.trustBundle.current.join('\n')])
  let latencies: number[] = []
  const batch = (): Promise<number[]> =>
    new Promise((resolve, reject) => {
      load.once('message', (message) =>
        Array.isArray(message) ? resolve(message as number[]) : reject(new Error(String(message))),
      )
      load.send('go')
    })
  const first = await batch()
  await serveWork({
    show: () => ({ answered: first.length }),
    async run() {
      latencies = [...latencies, ...(await batch())].slice(-20 * IN_FLIGHT)
    },
    more() {
      const sorted = [...latencies].sort((a, b) => a - b)
      return { 'p99 ms': sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
    },
  })
}

function serveLoad(port: number, ca: string): void {
  process.on('disconnect', () => process.exit(0))
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT, ca })
  const bodies = Array.from({ length: 64 }, (_, i) => review(i))
  const send = (body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const start = clock.monotonic()
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const call = request({ host: '127.0.0.1', port, agent, path: '/inject', method: 'POST', headers }, (response) => {
        let text = ''
        response.on('data', (bytes) => (text += String(bytes)))
        response.on('end', () =>
          text.includes('"patch":') ? resolve(clock.monotonic() - start) : reject(new Error(`${response.statusCode} ${text}`)),
        )
      })
      call.on('error', reject)
      call.end(body)
    })
  process.on('message', () => {
    Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => send(bodies[i % bodies.length]!))).then(
      (latencies) => process.send!(latencies),
      (error: unknown) => process.send!(String(error)),
    )
  })
}
