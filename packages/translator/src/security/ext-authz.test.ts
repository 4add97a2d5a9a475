import { createStore, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const MESH = `
extensionProviders:
- name: http
  envoyExtAuthzHttp:
    service: check.shop.svc.cluster.local
    port: 81
    pathPrefix: /check
    failOpen: true
    statusOnError: "503"
    includeRequestHeadersInCheck: [cookie, x-*, "*-id"]
    includeAdditionalHeadersInCheck: {b: "2", a: "1"}
    headersToUpstreamOnAllow: [x-user]
    headersToDownstreamOnDeny: [x-why]
- {name: grpc, envoyExtAuthzGrpc: {service: shop/check.shop.svc.cluster.local, port: 82}}
- {name: nowhere, envoyExtAuthzGrpc: {service: nobody.example, port: 82}}
- {name: badstatus, envoyExtAuthzGrpc: {service: check.shop.svc.cluster.local, port: 82, statusOnError: "999"}}
- {name: logs, envoyFileAccessLog: {path: /dev/stdout}}
`
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: check, namespace: shop}
spec: {clusterIP: 10.1.1.1, ports: [{name: http, port: 81}, {name: grpc, port: 82}]}
`
const custom = (name: string, provider: string): string =>
  `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {action: CUSTOM, provider: {name: ${provider}}, rules: [{to: [{operation: {paths: [/admin]}}]}]}\n`

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a resource is checked by reading it
type Json = any

function inbound(yaml: string, env = {}): { http: Json[]; tcp: Json[] } {
  const store = createStore({ meshConfig: (readMeshConfig(MESH) as { value: MeshConfig }).value })
  store.apply({ set: readYaml(SERVICE + yaml, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1', labels: { app: 'tea' } })
  if (!proxy.ok) throw new Error('no proxy')
  const groups = translate(store.snapshot(), proxy.value, { features: pilotFeatures(env) }).resources.groups
  const listeners = groups.flatMap((g) => [...g.resources.values()].flat()) as Json[]
  const { filter_chains } = listeners.find((l) => l.name === 'virtualInbound')
  const named = (name: string): Json => filter_chains.find((c: Json) => c.name === name).filters
  const security = (list: Json[]): Json[] => list.filter((f) => /rbac|ext_authz/.test(f.name))
  return {
    http: security(named('virtualInbound-catchall-http').at(-1).typed_config.http_filters),
    tcp: security(named('virtualInbound')),
  }
}

describe('CUSTOM', () => {
  test('marks what the policy selects and asks about it', () => {
    const { http } = inbound(custom('p', 'http'))
    expect(http.map((f) => f.name)).toEqual(['envoy.filters.http.rbac', 'envoy.filters.http.ext_authz'])
    expect(http[0].typed_config).toMatchObject({
      shadow_rules: { action: 'DENY', policies: { 'istio-ext-authz-http-ns[shop]-policy[p]-rule[0]': {} } },
      shadow_rules_stat_prefix: 'istio_ext_authz_',
    })
    expect(http[0].typed_config.rules).toBeUndefined()
    expect(http[1].typed_config).toEqual({
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
      failure_mode_allow: true,
      status_on_error: { code: 'ServiceUnavailable' },
      transport_api_version: 'V3',
      http_service: {
        path_prefix: '/check',
        server_uri: {
          uri: 'http://check.shop.svc.cluster.local',
          cluster: 'outbound|81||check.shop.svc.cluster.local',
          timeout: '600s',
        },
        authorization_request: {
          headers_to_add: [
            { key: 'a', value: '1' },
            { key: 'b', value: '2' },
          ],
        },
        authorization_response: {
          allowed_upstream_headers: { patterns: [{ exact: 'x-user', ignore_case: true }] },
          allowed_client_headers: { patterns: [{ exact: 'x-why', ignore_case: true }] },
        },
      },
      allowed_headers: {
        patterns: [
          { exact: 'cookie', ignore_case: true },
          { prefix: 'x-', ignore_case: true },
          { suffix: '-id', ignore_case: true },
        ],
      },
      filter_enabled_metadata: {
        filter: 'envoy.filters.http.rbac',
        path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
        value: { string_match: { prefix: 'istio-ext-authz-http' } },
      },
    })
  })

  test('asks nobody about connections when the provider speaks HTTP', () => {
    expect(inbound(custom('p', 'http')).tcp).toEqual([])
    expect(inbound(custom('p', 'grpc')).tcp.map((f) => f.name)).toEqual([
      'envoy.filters.network.rbac',
      'envoy.filters.network.ext_authz',
    ])
  })

  test('of several providers none is asked: what they select is refused', () => {
    const { http } = inbound(custom('a', 'http') + custom('b', 'grpc'))
    expect(http.map((f) => [f.typed_config.rules.action, Object.keys(f.typed_config.rules.policies)])).toEqual([
      ['DENY', ['istio-ext-authz-grpc-ns[shop]-policy[b]-rule[0]-deny-due-to-bad-CUSTOM-action']],
      ['DENY', ['istio-ext-authz-http-ns[shop]-policy[a]-rule[0]-deny-due-to-bad-CUSTOM-action']],
    ])
  })

  test('where istiod allows several, a pair of filters for each provider', () => {
    const env = { PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: 'true' }
    const { http } = inbound(custom('a', 'http') + custom('b', 'grpc') + custom('c', 'grpc'), env)
    expect(http.map((f) => Object.keys(f.typed_config.shadow_rules?.policies ?? {}))).toEqual([
      ['istio-ext-authz-grpc-ns[shop]-policy[b]-rule[0]', 'istio-ext-authz-grpc-ns[shop]-policy[c]-rule[0]'],
      [],
      ['istio-ext-authz-http-ns[shop]-policy[a]-rule[0]'],
      [],
    ])
  })

  test.each(['unknown', 'nowhere', 'badstatus', 'logs'])(
    'refuses what it selects when the provider is of no use: %s',
    (provider) => {
      const { http, tcp } = inbound(custom('p', provider))
      const name = `istio-ext-authz-${provider}-ns[shop]-policy[p]-rule[0]-deny-due-to-bad-CUSTOM-action`
      for (const filters of [http, tcp]) {
        expect(filters.map((f) => [f.typed_config.rules.action, Object.keys(f.typed_config.rules.policies)])).toEqual([
          ['DENY', [name]],
        ])
      }
    },
  )
})
