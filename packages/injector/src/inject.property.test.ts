import { equal } from '@heddle/runtime'
import fc from 'fast-check'
import { applyPatch } from 'rfc6902'
import { expect, test } from 'vitest'
import { inject } from './inject.js'
import { jsonPatch } from './json-patch.js'
import type { KubernetesObject } from './kubernetes.js'
import type { InjectOptions } from './options.js'

const name = fc.constantFrom('app', 'log', 'istio-proxy')
const initName = fc.constantFrom('setup', 'istio-init', 'istio-proxy', 'enable-core-dump')
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const unique = (field: string) => ({ maxLength: 3, selector: (item: Record<string, unknown>) => item[field] })

const handler = fc.oneof(
  fc.record({
    httpGet: fc.record({
      port: fc.constantFrom<string | number>('web', 'none', 80, 15020),
      path: fc.constantFrom('/', '/app-health/app/livez'),
    }),
  }),
  fc.record({ tcpSocket: fc.record({ port: fc.constantFrom<string | number>('web', 9) }) }),
  fc.record({ grpc: fc.record({ port: fc.nat(9) }), timeoutSeconds: fc.nat(5) }),
  fc.record({ exec: fc.constant({ command: ['true'] }) }),
)
const container = (names: typeof name | typeof initName) =>
  fc.record(
    {
      name: names as fc.Arbitrary<string>,
      image: fc.constantFrom('auto', 'mine/app:1'),
      args: fc.array(fc.constantFrom('-u', '1', '2'), { maxLength: 3 }),
      env: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('A', 'POD_NAME'), value: fc.constantFrom('', '{}', 'x') }),
        unique('name'),
      ),
      ports: fc.uniqueArray(
        fc.record({ containerPort: fc.constantFrom(80, 15090), name: fc.constantFrom('web', 'x') }),
        unique('containerPort'),
      ),
      volumeMounts: fc.uniqueArray(
        fc.record({ name: fc.constant('v'), mountPath: fc.constantFrom('/v', '/etc/istio/proxy') }),
        unique('mountPath'),
      ),
      livenessProbe: handler,
      readinessProbe: handler,
      lifecycle: fc.record({ preStop: handler }),
      securityContext: fc.record({ runAsUser: fc.constantFrom(0, 1337, 1234) }),
      resources: fc.constant({ limits: { cpu: '1' } }),
      'x-own': fc.json(),
    },
    { requiredKeys: ['name'] },
  )
const annotations = fc
  .dictionary(
    fc.constantFrom(
      'sidecar.istio.io/interceptionMode',
      'sidecar.istio.io/nativeSidecar',
      'prometheus.io/port',
      'prometheus.io.scrape',
      'own',
    ),
    fc.constantFrom('TPROXY', 'REDIRECT', 'NONE'),
  )
  .chain((chosen) =>
    fc
      .record({
        nativeSidecar: fc.constantFrom('true', 'false'),
        scrape: fc.constantFrom('true', 'false', 'x'),
        templates: some(
          fc.constantFrom(
            ...[
              'sidecar',
              'gateway',
              'grpc-simple',
              'grpc-agent',
              'waypoint',
              'kube-gateway',
              'sidecar,sidecar',
              'gateway,grpc-simple',
            ],
          ),
        ),
        config: some(
          fc.constantFrom('{}', 'holdApplicationUntilProxyStarts: true', 'proxyMetadata: {A: b}', 'statusPort: 15020'),
        ),
      })
      .map(({ nativeSidecar, scrape, templates, config }) => {
        const all: Record<string, string> = { ...chosen }
        if ('sidecar.istio.io/nativeSidecar' in all) all['sidecar.istio.io/nativeSidecar'] = nativeSidecar
        if ('prometheus.io.scrape' in all) all['prometheus.io.scrape'] = scrape
        if (templates !== undefined) all['inject.istio.io/templates'] = templates
        if (config !== undefined) all['proxy.istio.io/config'] = config
        return all
      }),
  )
const pods: fc.Arbitrary<KubernetesObject> = fc
  .record({
    annotations,
    labels: fc.dictionary(
      fc.constantFrom('app', 'version', 'topology.istio.io/network', 'security.istio.io/tlsMode'),
      fc.constantFrom('a', 'b'),
    ),
    containers: fc.uniqueArray(container(name), { minLength: 1, maxLength: 3, selector: (item) => item.name }),
    initContainers: some(fc.uniqueArray(container(initName), { maxLength: 3, selector: (item) => item.name })),
    volumes: some(
      fc.uniqueArray(fc.record({ name: fc.constantFrom('v', 'istio-data'), emptyDir: fc.constant({}) }), unique('name')),
    ),
  })
  .map(({ annotations: chosen, labels, containers, initContainers, volumes }) => {
    // Kubernetes refuses a name that is used twice in a pod.
    const taken = new Set(containers.map((item) => item.name))
    const init = initContainers?.filter((item) => !taken.has(item.name))
    const spec = { containers, ...(init !== undefined && { initContainers: init }), ...(volumes !== undefined && { volumes }) }
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels, annotations: chosen }, spec } as KubernetesObject
  })

const options: fc.Arbitrary<InjectOptions> = fc.record({
  nativeSidecars: fc.boolean(),
  values: fc.record({
    global: fc.record({
      network: fc.constantFrom('', 'n1'),
      multiCluster: fc.record({ clusterName: fc.constantFrom('', 'c1') }),
    }),
    pilot: fc.record({ cni: fc.record({ enabled: fc.boolean(), provider: fc.constantFrom('default', 'multus') }) }),
  }),
})

// What injection is asked to rewrite; everything else of the user's must be there afterwards.
const REWRITTEN = new Set(['image', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'securityContext', 'args'])

test('2,000 random pods: injecting twice is injecting once, nothing of the user’s is lost, the patch makes the pod', () => {
  fc.assert(
    fc.property(pods, options, (pod, chosen) => {
      const before = structuredClone(pod)
      const once = inject(pod, chosen)
      if (!once.ok) throw new Error(JSON.stringify(once.diagnostics))
      same(pod, before)
      const object = once.value.object
      const twice = inject(object, chosen)
      if (!twice.ok) throw new Error(JSON.stringify(twice.diagnostics))
      same(twice.value.object, object)
      // As over the wire: no object twice.
      const patched: unknown = JSON.parse(JSON.stringify(pod))
      applyPatch(patched, [...jsonPatch(pod, object)])
      same(patched, object)
      keeps(pod, object)
    }),
    { seed: 20_261_121, numRuns: 2_000 },
  )
}, 120_000)

test('no JSON makes it throw', () => {
  const json = fc.jsonValue({ maxDepth: 2 })
  const list = fc.oneof(json, fc.array(fc.oneof(json, fc.dictionary(fc.constantFrom(...FIELDS), json)), { maxLength: 2 }))
  const spec = fc.oneof(json, fc.record({ containers: list, initContainers: list, volumes: list }, { requiredKeys: [] }))
  const metadata = fc.oneof(
    json,
    fc.record(
      { annotations: fc.oneof(json, fc.dictionary(fc.constantFrom(...ANNOTATIONS), json)), labels: json },
      { requiredKeys: [] },
    ),
  )
  const pod = fc.record({ kind: fc.constantFrom('Pod', 'Pod', 'List', 'Deployment'), metadata, spec, items: json })
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(fc.constantFrom('kind', 'spec', 'metadata'), json), pod), (object) => {
      const result = inject(object as KubernetesObject)
      if (!result.ok) expect(result.diagnostics.length).toBeGreaterThan(0)
    }),
    { seed: 20_261_121, numRuns: 3_000 },
  )
})

const FIELDS = [
  'name',
  'image',
  'args',
  'env',
  'ports',
  'volumeMounts',
  'livenessProbe',
  'lifecycle',
  'resources',
  'securityContext',
]
const ANNOTATIONS = [
  'sidecar.istio.io/status',
  'proxy.istio.io/overrides',
  'proxy.istio.io/config',
  'inject.istio.io/templates',
  'sidecar.istio.io/userVolume',
  'prometheus.io/port',
  'sidecar.istio.io/inject',
]

type Spec = Record<string, Record<string, unknown>[]>

// Comparing first is ten times as fast as expecting.
function same(got: unknown, wanted: unknown): void {
  if (!equal(got, wanted)) expect(got).toEqual(wanted)
}

function must(holds: boolean, what: string): void {
  if (!holds) expect.fail(what)
}

function keeps(pod: KubernetesObject, injected: KubernetesObject): void {
  const spec = pod['spec'] as Spec
  const after = injected['spec'] as Spec
  const all = [...(after['containers'] ?? []), ...(after['initContainers'] ?? [])]
  for (const own of [...spec['containers']!, ...(spec['initContainers'] ?? [])]) {
    const [kept, ...more] = all.filter((item) => item['name'] === own['name'])
    must(kept !== undefined && more.length === 0, `container ${own['name']} is there once`)
    for (const [field, value] of Object.entries(own)) {
      if (REWRITTEN.has(field)) must(kept![field] !== undefined, `${own['name']} has ${field}`)
      else if (Array.isArray(value)) for (const element of value) keepsElement(kept![field], element as Record<string, unknown>)
      else must(contains(kept![field], value), `${own['name']} keeps ${field}`)
    }
  }
  for (const volume of spec['volumes'] ?? []) keepsElement(after['volumes'], volume)
  for (const [key, value] of Object.entries(pod.metadata?.labels ?? {}))
    must(injected.metadata?.labels?.[key] === value, `label ${key} stays`)
  for (const [key, value] of Object.entries(pod.metadata?.annotations ?? {})) {
    must(/prometheus|cncf/.test(key) || injected.metadata?.annotations?.[key] === value, `annotation ${key} stays`)
  }
}

function keepsElement(list: unknown, element: Record<string, unknown>): void {
  const key = ['mountPath', 'containerPort', 'name'].find((field) => field in element)!
  const [found, ...more] = (list as Record<string, unknown>[]).filter((item) => item[key] === element[key])
  must(found !== undefined && more.length === 0, `${element[key]} is there once`)
  must(element['name'] === 'istio-data' || contains(found, element), `${element[key]} stays`)
}

/** Whether `value` has all that `wanted` says. */
function contains(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return equal(value, wanted)
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(wanted).every(([key, item]) => contains((value as Record<string, unknown>)[key], item))
  )
}
