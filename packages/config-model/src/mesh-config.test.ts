import { formatDiagnostic } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { defaultMeshConfig } from './kinds/mesh-config.js'
import { readMeshConfig } from './mesh-config.js'
import { readYaml } from './read.js'
import { createStore } from './store.js'

const OLD = `enableTracing: false
rdsRefreshDelay: 5s
defaultConfig:
  discoveryRefreshDelay: 5s
  drainDuration: 50s
  parentShutdownDuration: 1m0s
  controlPlaneAuthPolicy: NONE
  discoveryAddress: istio-pilot.istio-system:15007
`

it('lays a file over the defaults', () => {
  const result = readMeshConfig(
    'trustDomain: td\ndefaultConfig: {proxyMetadata: {A: b}}\nextensionProviders: [{name: z, zipkin: {service: z, port: 9411}}]\n',
  )
  expect(result.ok && result.value).toEqual({
    ...defaultMeshConfig,
    trustDomain: 'td',
    defaultConfig: { ...defaultMeshConfig.defaultConfig, proxyMetadata: { A: 'b' } },
    extensionProviders: [{ name: 'z', zipkin: { service: 'z', port: 9411 } }, ...defaultMeshConfig.extensionProviders],
  })
})

it('takes nothing for the defaults', () => {
  expect(readMeshConfig('\n')).toMatchObject({ ok: true, value: defaultMeshConfig })
})

it('accepts the fields of 1.0 with a warning each', () => {
  const result = readMeshConfig(OLD, { file: 'mesh.yaml' })
  expect(result.ok && result.value.defaultConfig.drainDuration).toBe(50_000)
  expect(result.diagnostics.map(formatDiagnostic).sort()).toEqual([
    'mesh.yaml:2: warning config.deprecated rdsRefreshDelay: rdsRefreshDelay has no effect any more: remove it',
    expect.stringContaining('mesh.yaml:4: warning config.deprecated defaultConfig.discoveryRefreshDelay'),
    expect.stringContaining('mesh.yaml:6: warning config.deprecated defaultConfig.parentShutdownDuration'),
  ])
})

it('refuses what it does not know', () => {
  const result = readMeshConfig('outboundTraficPolicy: {mode: REGISTRY_ONLY}\n', { file: 'mesh.yaml' })
  expect(result.ok).toBe(false)
  expect(result.diagnostics[0]!.message).toContain('did you mean outboundTrafficPolicy?')
})

it('takes the ConfigMap of the root namespace into force, and out again', () => {
  const indented = OLD.replace(/^/gm, '    ')
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |-\n${indented}`
  const { resources, diagnostics } = readYaml(text, { file: 'f' })
  expect(diagnostics.map(({ severity, path }) => [severity, path])).toEqual(Array(3).fill(['warning', 'data.mesh']))
  const store = createStore()
  store.apply({ set: resources })
  expect(store.snapshot().meshConfig.enableTracing).toBe(false)
  store.remove('ConfigMap istio-system/istio')
  expect(store.snapshot().meshConfig).toEqual(defaultMeshConfig)
  store.setMeshConfig({ ...defaultMeshConfig, trustDomain: 'td' })
  expect(store.snapshot().meshConfig.trustDomain).toBe('td')
  const broken = readYaml(text.replace('enableTracing: false', 'enableTracing: maybe'), { file: 'f' })
  expect(broken.refused).toEqual(['ConfigMap istio-system/istio'])
})
