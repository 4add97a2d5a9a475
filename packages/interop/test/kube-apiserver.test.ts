import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, runChild, startChild } from '../src/child.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { heddleWords } from '../src/heddle-command.js'
import { type Kubernetes, type KubernetesAnswer, startKubernetes } from '../src/kubernetes.js'
import { type LateWebhook, startLateWebhook } from '../src/late-webhook.js'
import { findEtcd, findKubeApiserver, labelOf } from '../src/tools.js'

// A real API server asks the webhook of `heddle control-plane`, by what `heddle manifest webhook` prints.
const soak = process.env['HEDDLE_SOAK'] === '1'
const tools = [findKubeApiserver(), findEtcd()]
const missing = tools.filter(({ version }) => version === undefined)
const required = process.env['HEDDLE_INTEROP'] !== undefined
if (soak && missing.length > 0 && !required)
  for (const { name } of missing) console.log(`skipped: no ${name}; HEDDLE_SOAK=1 scripts/install.sh brings it`)

interface PodBody {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: { containers: Container[]; initContainers?: Container[]; volumes?: { name: string }[] }
}
interface Container {
  name: string
  readinessProbe?: { httpGet?: { path: string; port: number } }
}
const PODS = '/api/v1/namespaces/shop/pods'
const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const NAME = 'istio-sidecar-injector'

describe.skipIf(!soak || (missing.length > 0 && !required))(
  `soak: ${tools.map(labelOf).join(' and ')} with the webhook`,
  { shuffle: false },
  () => {
    const [node = '', ...words] = heddleWords()
    let folder: string
    let kubernetes: Kubernetes
    let controlPlane: Child | undefined
    let address: string
    let late: LateWebhook | undefined

    const serve = async (): Promise<void> => {
      const started = startChild(node, [
        ...[...words, 'control-plane', '--config', join(folder, 'config'), '--ca-dir', join(folder, 'ca')],
        ...['--grpc-addr', '127.0.0.1:0', '--secure-grpc-addr', '127.0.0.1:0', '--http-addr', '127.0.0.1:0'],
        ...['--webhook-addr', address],
      ])
      controlPlane = started
      await eventually(
        () => started.ended || started.output.includes(`webhook ${address}`),
        (ready) => ready,
      )
      if (started.ended) throw new Error(started.output)
    }
    const register = async (...flags: string[]): Promise<void> => {
      const printed = await runChild(node, [
        ...[...words, 'manifest', 'webhook', '--ca-dir', join(folder, 'ca'), '--url', `https://${address}/inject`, ...flags],
      ])
      const hooks = load(printed) as object
      const present = await kubernetes.call('GET', `${HOOKS}/${NAME}`)
      const version = (present.body['metadata'] as { resourceVersion?: string } | undefined)?.resourceVersion
      const answer =
        present.status === 404
          ? await kubernetes.call('POST', HOOKS, hooks)
          : await kubernetes.call('PUT', `${HOOKS}/${NAME}`, {
              ...hooks,
              metadata: { ...(hooks as { metadata: object }).metadata, resourceVersion: version },
            })
      expect(answer.status, answer.body.message).toBeLessThan(300)
    }
    const pod = (name: string, metadata: object = {}): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, ...metadata },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'shop/cart:1',
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
          },
        ],
      },
    })
    const create = (name: string, metadata?: object, path = PODS): Promise<KubernetesAnswer> =>
      kubernetes.call('POST', path, pod(name, metadata))
    const made = ({ status, body }: KubernetesAnswer): PodBody => {
      expect(status, body.message).toBe(201)
      return body as unknown as PodBody
    }
    const proxied = ({ spec }: PodBody): boolean => spec.initContainers?.some(({ name }) => name === 'istio-proxy') ?? false

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'heddle-admission-'))
      mkdirSync(join(folder, 'config'))
      writeFileSync(join(folder, 'config', 'mesh.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n')
      address = `127.0.0.1:${(await freePorts(1))[0]}`
      kubernetes = await startKubernetes()
      for (const [name, labels] of Object.entries({ shop: { 'istio-injection': 'enabled' }, plain: {} })) {
        await kubernetes.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
        // Its controller would make it.
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
        expect((await kubernetes.call('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account)).status).toBe(201)
      }
      await serve()
      await register()
      // The API server takes notice of it a little later.
      await eventually(
        () => create('first', {}, `${PODS}?dryRun=All`),
        ({ body }) => proxied(body as unknown as PodBody),
      )
    }, 300_000)
    afterAll(async () => {
      await controlPlane?.stop()
      await kubernetes?.stop()
      late?.close()
      rmSync(folder, { recursive: true, force: true })
    }, 60_000)

    test('a pod of a namespace with the label comes back injected, and is kept so', async () => {
      const answered = made(await create('cart'))
      expect(answered.spec.initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy'])
      expect(answered.spec.containers.map(({ name }) => name)).toEqual(['app'])
      expect(answered.spec.containers[0]?.readinessProbe?.httpGet).toMatchObject({ path: '/app-health/app/readyz', port: 15020 })
      // Beside what the API server itself adds: the token of the pod's service account.
      expect(answered.spec.volumes?.map(({ name }) => name)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^kube-api-access-/), 'istio-token', 'istiod-ca-cert']),
      )
      expect(JSON.parse(answered.metadata.annotations?.['sidecar.istio.io/status'] ?? '{}')).toMatchObject({
        initContainers: ['istio-init', 'istio-proxy'],
      })
      const kept = (await kubernetes.call('GET', `${PODS}/cart`)).body as unknown as PodBody
      expect(kept.spec).toEqual(answered.spec)
    })

    test('a pod that says no comes back as it was; so does one of a namespace without the label, unless it says yes', async () => {
      expect(proxied(made(await create('no', { labels: { 'sidecar.istio.io/inject': 'false' } })))).toBe(false)
      const plain = '/api/v1/namespaces/plain/pods'
      expect(proxied(made(await create('none', {}, plain)))).toBe(false)
      expect(proxied(made(await create('yes', { labels: { 'sidecar.istio.io/inject': 'true' } }, plain)))).toBe(true)
    })

    test('an update leaves a pod as it is, injected or not', async () => {
      for (const [name, injected] of [
        ['cart', true],
        ['no', false],
      ] as const) {
        const before = (await kubernetes.call('GET', `${PODS}/${name}`)).body as unknown as PodBody
        const labels = { 'sidecar.istio.io/inject': injected ? 'false' : 'true', tier: 'gold' }
        const { status, body } = await kubernetes.call('PATCH', `${PODS}/${name}`, { metadata: { labels } })
        expect(status).toBe(200)
        const after = body as unknown as PodBody
        expect(after.metadata.labels).toMatchObject(labels)
        expect(after.spec).toEqual(before.spec)
        expect(proxied(after)).toBe(injected)
      }
    })

    test.each(['sidecar', 'gateway', 'grpc-simple', 'grpc-agent', 'kube-gateway', 'waypoint'])(
      'what template %s makes is a pod to Kubernetes',
      async (template) => {
        const annotations = { 'inject.istio.io/templates': template }
        const name = template === 'grpc-simple' ? 'grpc-bootstrap-init' : 'istio-proxy'
        const { spec } = made(await create(`by-${template}`, { annotations }))
        expect([...(spec.initContainers ?? []), ...spec.containers].map((container) => container.name)).toContain(name)
      },
    )

    test('a pod that cannot be injected is refused, in our words', async () => {
      const { status, body } = await create('bad', { annotations: { 'status.sidecar.istio.io/port': 'x' } })
      expect(status).toBe(400)
      expect(body.message).toContain('statusPort invalid')
    })

    test('what another webhook adds later is in the mesh too: the pod comes again', async () => {
      late = await startLateWebhook()
      expect((await kubernetes.call('POST', HOOKS, late.configuration)).status).toBe(201)
      const { body } = await eventually(
        () => create('crowded', { labels: { late: 'yes' } }, `${PODS}?dryRun=All`),
        (answer) => (answer.body as unknown as PodBody).spec.containers.length === 2,
      )
      const added = (body as unknown as PodBody).spec.containers.find(({ name }) => name === 'late')
      expect(added?.readinessProbe?.httpGet).toMatchObject({ path: '/app-health/late/readyz', port: 15020 })
    })

    test('1,000 pods, 50 at a time', async () => {
      const started = performance.now()
      const times: number[] = []
      let next = 0
      const work = async (): Promise<void> => {
        for (let i = next++; i < 1_000; i = next++) {
          const from = performance.now()
          expect(proxied(made(await create(`many-${i}`, {}, `${PODS}?dryRun=All`)))).toBe(true)
          times.push(performance.now() - from)
        }
      }
      await Promise.all(Array.from({ length: 50 }, work))
      times.sort((a, b) => a - b)
      const seconds = (performance.now() - started) / 1_000
      console.log(`${(1_000 / seconds).toFixed(0)} pods/s through the API server, p99 ${times[990]?.toFixed(0)} ms`)
    }, 120_000)

    test('while the webhook is away: Fail refuses pods that it would be asked about, Ignore lets them in as they are', async () => {
      await controlPlane?.stop()
      const { status, body } = await create('orphan')
      expect(status).toBe(500)
      expect(body.message).toContain('failed calling webhook "namespace.sidecar-injector.istio.io"')
      made(await create('spared', { labels: { 'sidecar.istio.io/inject': 'false' } }))
      await register('--failure-policy', 'Ignore')
      const ignored = await eventually(
        () => create('ignored'),
        (answer) => answer.status === 201,
      )
      expect(proxied(made(ignored))).toBe(false)
      await serve()
      await register()
      await eventually(
        () => create('back', {}, `${PODS}?dryRun=All`),
        ({ body }) => proxied(body as unknown as PodBody),
      )
    }, 120_000)
  },
)
