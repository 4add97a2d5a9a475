import { createStore, readYaml } from '@heddle/config-model'
import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { expect, test } from 'vitest'
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../message.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const extension = (name: string, spec: string, namespace = 'shop'): string =>
  `---\napiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`

/** The filters of virtualInbound's catch-all chains, and the configurations that are sent apart. */
function made(yaml: string): { http: readonly HttpFilter[]; tcp: readonly string[]; configs: readonly TypedExtensionConfig[] } {
  const store = createStore()
  const { resources, diagnostics } = readYaml(yaml, { file: 'f.yaml' })
  expect(diagnostics).toEqual([])
  store.apply({ set: resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1', labels: { app: 'tea' } })
  if (!proxy.ok) throw new Error('no proxy')
  const { groups } = translate(store.snapshot(), proxy.value).resources
  const of = (type: string): readonly object[] => groups.flatMap((group) => group.resources.get(type) ?? [])
  const inbound = (of(LISTENER_TYPE) as readonly Listener[]).find(({ name }) => name === 'virtualInbound')
  const chain = (name: string) => inbound?.filter_chains?.find((one) => one.name === name)?.filters ?? []
  const manager = chain('virtualInbound-catchall-http').at(-1)?.typed_config as { http_filters?: readonly HttpFilter[] }
  return {
    http: manager.http_filters ?? [],
    tcp: chain('virtualInbound').map(({ name = '' }) => name),
    configs: of(EXTENSION_CONFIG_TYPE) as readonly TypedExtensionConfig[],
  }
}
const short = (name = ''): string => name.replace('extensions.istio.io/trafficextension/', '')

test('each stands where its phase is, the more important first, then by name', () => {
  const lua = 'lua: {inlineCode: "--"}'
  const { http } = made(
    extension('b', `{phase: AUTHN, ${lua}}`) +
      extension('a', `{phase: AUTHN, priority: 1, ${lua}}`) +
      extension('z', `{phase: AUTHN, priority: 9, ${lua}}`, 'istio-system') +
      extension('late', `{${lua}}`) +
      extension('stats', `{phase: STATS, ${lua}}`) +
      extension('elsewhere', `{${lua}}`, 'other') +
      extension('milk', `{selector: {matchLabels: {app: milk}}, ${lua}}`) +
      extension('out', `{match: [{mode: CLIENT}], ${lua}}`) +
      `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {rules: [{}]}\n`,
  )
  const names = http.map(({ name }) => short(name))
  expect(names.slice(1, 7)).toEqual(['istio-system.z', 'shop.a', 'shop.b', 'envoy.filters.http.rbac', 'shop.stats', 'shop.late'])
  expect(http[1]?.typed_config).toEqual({
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
    default_source_code: { inline_string: '--' },
  })
})

test('a Wasm module is asked for by name, with all that its VM needs', () => {
  const { http, tcp, configs } = made(
    extension(
      'net',
      '{wasm: {url: registry.example/net:v1, type: NETWORK, sha256: "", imagePullPolicy: Always, failStrategy: FAIL_RELOAD}}',
    ) +
      extension(
        'web',
        '{wasm: {url: "file:///opt/web.wasm", pluginName: root, pluginConfig: {a: [1]}, vmConfig: {env: [{name: A, value: b}, {name: H, valueFrom: HOST}]}}}',
      ),
  )
  expect(tcp.map(short)).toContain('shop.net')
  expect(http.map(({ name }) => short(name))).toContain('shop.web')
  expect(http.map(({ name }) => short(name))).not.toContain('shop.net')
  expect(configs).toEqual([
    {
      name: 'extensions.istio.io/trafficextension/shop.net',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm',
        config: {
          name: 'extensions.istio.io/trafficextension/shop.net',
          failure_policy: 'FAIL_RELOAD',
          vm_config: {
            runtime: 'envoy.wasm.runtime.v8',
            code: { remote: { http_uri: { uri: 'oci://registry.example/net:v1', cluster: '_', timeout: '30s' } } },
            environment_variables: {
              key_values: { ISTIO_META_WASM_IMAGE_PULL_POLICY: 'Always', ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: '' },
            },
          },
        },
      },
    },
    {
      name: 'extensions.istio.io/trafficextension/shop.web',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm',
        config: {
          name: 'extensions.istio.io/trafficextension/shop.web',
          root_id: 'root',
          configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: '{"a":[1]}' },
          failure_policy: 'FAIL_CLOSED',
          vm_config: {
            runtime: 'envoy.wasm.runtime.v8',
            code: { local: { filename: '/opt/web.wasm' } },
            environment_variables: {
              key_values: { ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: '', A: 'b' },
              host_env_keys: ['H'],
            },
          },
        },
      },
    },
  ])
})

test('EXTENSION_CONFIG of an EnvoyFilter is sent apart, too', () => {
  const { configs } = made(`apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: e, namespace: shop}
spec:
  configPatches:
  - applyTo: EXTENSION_CONFIG
    match: {context: SIDECAR_INBOUND}
    patch:
      operation: ADD
      value: {name: mine, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}}
`)
  expect(configs.map(({ name }) => name)).toEqual(['mine'])
})
