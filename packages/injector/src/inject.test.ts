import { expect, test } from 'vitest'
import { inject } from './inject.js'
import type { KubernetesObject, PodTemplate } from './kubernetes.js'
import type { InjectOptions } from './options.js'
import { supportsNativeSidecars } from './options.js'

const pod = (annotations: Record<string, string> = {}, namespace?: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'cart', annotations, ...(namespace !== undefined && { namespace }) },
  spec: { containers: [{ name: 'app', image: 'app' }] },
})

function run(object: KubernetesObject, options?: InjectOptions) {
  const result = inject(object, options)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

test('says what became of the object, and gives back what it left alone', () => {
  const service = { kind: 'Service', metadata: { name: 'cart' } }
  expect(run(service)).toEqual({
    object: service,
    decisions: [{ inject: false, code: 'no_pod_template', reason: 'Service has no pod template', subject: 'Service cart' }],
  })
  const system = pod({}, 'kube-system')
  const { object, decisions } = run(system)
  expect(object).toBe(system)
  expect(decisions).toEqual([
    { inject: false, code: 'ignored_namespace', reason: 'namespace kube-system is ignored', subject: 'Pod kube-system/cart' },
  ])
})

test('does not touch its input', () => {
  const input = pod({ 'prometheus.io/port': '1' })
  const before = structuredClone(input)
  run(input)
  expect(input).toEqual(before)
})

test('a List is injected item by item', () => {
  const list = { kind: 'List', items: [{ kind: 'Service', metadata: { name: 'a' } }, pod(), null] }
  const { object, decisions } = run(list)
  expect(decisions.map(({ inject: injected, subject }) => [subject, injected])).toEqual([
    ['Service a', false],
    ['Pod cart', true],
  ])
  const items = object['items'] as KubernetesObject[]
  expect(items[0]).toBe(list.items[0])
  expect(JSON.stringify(items[1])).toContain('istio-proxy')
})

test.each([
  [pod({ 'status.sidecar.istio.io/port': 'x' }), 'inject.invalid_annotation'],
  [pod({ 'proxy.istio.io/config': 'no such: field' }), 'inject.invalid_annotation'],
  [pod({ 'proxy.istio.io/config': '{' }), 'inject.invalid_annotation'],
  [pod({ 'proxy.istio.io/config': '[]' }), 'inject.invalid_annotation'],
  [pod({ 'inject.istio.io/templates': 'sidecar,nope' }), 'inject.unknown_template'],
  [{ kind: 'Pod', spec: {} }, 'inject.invalid_pod'],
  [{ kind: 'Pod', spec: { containers: [{}] } }, 'inject.invalid_pod'],
  [{ kind: 'Pod', spec: { containers: [null] } }, 'inject.invalid_pod'],
  [{ kind: 'List', items: [pod(), { kind: 'Pod', spec: { containers: 'x' } }] }, 'inject.invalid_pod'],
])('refuses %j', (object, code) => {
  const result = inject(object as KubernetesObject)
  expect(result.ok).toBe(false)
  expect(result.diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code])
})

test('a template of one’s own, and aliases', () => {
  const options: InjectOptions = {
    templates: { debug: ({ owner }) => ({ metadata: { labels: { debug: owner.name } } }) },
    aliases: { both: ['sidecar', 'debug'] },
    defaultTemplates: ['both'],
  }
  const { metadata, spec } = run(pod(), options).object as PodTemplate
  expect(metadata?.labels).toMatchObject({ debug: 'cart', 'security.istio.io/tlsMode': 'istio' })
  expect(spec?.initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy'])
})

test('a TPROXY pod with a user of its own is injected the same twice', () => {
  const own = pod({ 'sidecar.istio.io/interceptionMode': 'TPROXY' })
  const spec = own['spec'] as { containers: object[] }
  spec.containers.push({ name: 'istio-proxy', image: 'auto', securityContext: { runAsUser: 1234 } })
  const once = run(own).object
  expect(JSON.stringify(once)).toContain('"-u","1234"')
  expect(run(once).object).toEqual(once)
})

test('native sidecars need 1.33 on every node', () => {
  expect(supportsNativeSidecars(['v1.33.0', 'v1.40.1-gke.1'])).toBe(true)
  expect(supportsNativeSidecars(['v1.33.0', 'v1.32.9'])).toBe(false)
  expect(supportsNativeSidecars(['nonsense'])).toBe(false)
})

test.each([
  ['waypoint', 'waypoint', 'none'],
  ['kube-gateway', 'router', undefined],
])('a pod of one’s own by template %s: its istio-proxy is filled in, nothing is captured', (template, role, mode) => {
  const annotations = { 'inject.istio.io/templates': template }
  const containers = [{ name: 'istio-proxy', image: 'auto', resources: { limits: { cpu: '4' } } }]
  const spec = { serviceAccountName: 'door', containers }
  const { object } = run({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'door', annotations }, spec })
  const made = object['spec'] as NonNullable<PodTemplate['spec']>
  expect(made.initContainers ?? []).toEqual([])
  expect(made.containers?.map(({ name }) => name)).toEqual(['istio-proxy'])
  expect(made.containers?.[0]).toMatchObject({
    image: 'registry.istio.io/release/proxyv2:1.32.0',
    resources: { limits: { cpu: '4' } },
  })
  expect(made.containers?.[0]?.args?.slice(0, 2)).toEqual(['proxy', role])
  expect(object.metadata?.labels?.['istio.io/dataplane-mode']).toBe(mode)
  expect(run(object).object).toEqual(object)
})
