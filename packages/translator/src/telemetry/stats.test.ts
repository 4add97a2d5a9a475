import { createStore, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const telemetry = (namespace: string, metrics: string): string =>
  `---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: t, namespace: ${namespace}}\nspec: {metrics: ${metrics}}\n`

/** istio.stats of a listener; undefined without one. */
function statsOf(listener: 'virtualInbound' | 'virtualOutbound', yaml: string): Record<string, unknown> | undefined {
  const mesh = 'defaultProviders: {metrics: [prometheus]}\nextensionProviders: [{name: other, prometheus: {}}]\n'
  const store = createStore({ meshConfig: (readMeshConfig(mesh) as { value: MeshConfig }).value })
  store.apply({ set: readYaml(yaml, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1' })
  if (!proxy.ok) throw new Error('no proxy')
  const listeners = toJson(translate(store.snapshot(), proxy.value).resources).listeners as readonly Listener[]
  const chains = listeners.find((l) => l.name === listener)?.filter_chains ?? []
  const filters = chains.flatMap((chain) => chain.filters ?? [])
  return filters.find(({ name }) => name === 'istio.stats')?.typed_config as Record<string, unknown> | undefined
}

test('overrides add up from the mesh to the namespace, each for its side', () => {
  const yaml =
    telemetry(
      'istio-system',
      '[{overrides: [{match: {metric: REQUEST_COUNT, mode: SERVER}, tagOverrides: {a: {value: "1"}, b: {value: "2"}}}]}]',
    ) +
    telemetry(
      'shop',
      '[{overrides: [{match: {metric: REQUEST_COUNT}, tagOverrides: {a: {operation: REMOVE}}}, {match: {customMetric: own, mode: CLIENT}, disabled: true}], reportingInterval: 7s}]',
    )
  expect(statsOf('virtualInbound', yaml)).toEqual({
    '@type': 'type.googleapis.com/stats.PluginConfig',
    disable_host_header_fallback: true,
    tcp_reporting_duration: '7s',
    metrics: [{ name: 'requests_total', dimensions: { b: '2' }, tags_to_remove: ['a'] }],
  })
  expect(statsOf('virtualOutbound', yaml)).toMatchObject({
    metrics: [
      { name: 'requests_total', tags_to_remove: ['a'] },
      { name: 'own', drop: true },
    ],
  })
})

test('with all metrics off there is no filter, until something below is wanted again', () => {
  const off = telemetry('istio-system', '[{overrides: [{match: {metric: ALL_METRICS}, disabled: true}]}]')
  expect(statsOf('virtualInbound', off)).toBeUndefined()
  const again = telemetry('shop', '[{overrides: [{match: {metric: REQUEST_SIZE}, disabled: false}]}]')
  expect(statsOf('virtualInbound', off + again)).toMatchObject({ metrics: [{ name: 'request_bytes' }] })
})

test('the narrowest that names providers chooses them', () => {
  expect(statsOf('virtualInbound', telemetry('shop', '[{providers: [{name: other}]}]'))).toBeDefined()
  expect(statsOf('virtualInbound', telemetry('shop', '[{providers: [{name: nobody}]}]'))).toBeUndefined()
})
