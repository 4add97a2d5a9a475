import { createStore, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { ambientPolicies } from './policies.js'

const policiesOf = (yaml: string, features?: { ambientDryRun: boolean }) => {
  const store = createStore()
  store.apply({ set: readYaml(yaml, { file: 'f.yaml' }).resources })
  return ambientPolicies(store.snapshot(), features)
}
const authorization = (name: string, spec: string, metadata = ''): string =>
  `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: shop${metadata}}\nspec: ${spec}\n`
const peer = (namespace: string, name: string, spec: string): string =>
  `---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`

describe('AuthorizationPolicy', () => {
  test('ALLOW leaves out a rule about HTTP, DENY the field, and both say so', () => {
    const rules = '[{to: [{operation: {methods: [GET], ports: ["80"]}}]}, {to: [{operation: {ports: ["90"]}}]}]'
    const { authorizations, diagnostics } = policiesOf(
      authorization('a', `{rules: ${rules}}`) + authorization('d', `{action: DENY, rules: ${rules}}`),
    )
    const ports = (port: number): object => ({ rules: [{ matches: [{ destination_ports: [port] }] }] })
    expect(authorizations).toEqual([
      { name: 'a', namespace: 'shop', scope: 'NAMESPACE', groups: [ports(90)] },
      { name: 'd', namespace: 'shop', scope: 'NAMESPACE', action: 'DENY', groups: [ports(80), ports(90)] },
    ])
    expect(diagnostics.map(({ code, path, subject }) => [code, path, subject])).toEqual([
      ['ambient.unsupported_attributes', 'spec.rules[0]', 'AuthorizationPolicy shop/a'],
      ['ambient.unsupported_attributes', 'spec.rules[0]', 'AuthorizationPolicy shop/d'],
    ])
  })

  test('no AUDIT or CUSTOM, and nothing that is for a waypoint', () => {
    const { authorizations, diagnostics } = policiesOf(
      authorization('audit', '{action: AUDIT, rules: [{}]}') +
        authorization('way', '{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: way}], rules: [{}]}'),
    )
    expect(authorizations).toEqual([])
    expect(diagnostics.map(({ code }) => code)).toEqual(['ambient.unsupported_action'])
  })

  test('a dry run only where proxies know it', () => {
    const dry = authorization('dry', '{rules: [{}]}', ', annotations: {istio.io/dry-run: "true"}')
    expect(policiesOf(dry).authorizations).toEqual([])
    expect(policiesOf(dry, { ambientDryRun: true }).authorizations).toMatchObject([{ name: 'dry', dry_run: true }])
  })

  test('addresses of both families', () => {
    const { authorizations } = policiesOf(
      authorization('ips', '{rules: [{from: [{source: {ipBlocks: ["10.1.2.3", "2001:db8::/32"]}}]}]}'),
    )
    const ips = authorizations[0]?.groups?.[0]?.rules?.[0]?.matches?.[0]?.source_ips ?? []
    expect(ips.map(({ address, length }) => [Array.from(address as Uint8Array).join('.'), length])).toEqual([
      ['10.1.2.3', 32],
      ['32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.0', 32],
    ])
  })
})

describe('the policies of a workload', () => {
  const app = { app: 'tea' }
  const selector = 'selector: {matchLabels: {app: tea}}'
  const strictMesh = peer('istio-system', 'default', '{mtls: {mode: STRICT}}')

  test('STRICT from above is the static policy', () => {
    const { authorizations, ofWorkload } = policiesOf(strictMesh + peer('calm', 'default', '{mtls: {mode: PERMISSIVE}}'))
    expect(authorizations.map(({ name }) => name)).toEqual(['istio_converted_static_strict'])
    expect(ofWorkload('shop', app)).toEqual(['istio-system/istio_converted_static_strict'])
    expect(ofWorkload('calm', app)).toEqual([])
  })

  test('a policy with exceptions stands for the strict one, too', () => {
    const { ofWorkload } = policiesOf(strictMesh + peer('shop', 'tea', `{${selector}, portLevelMtls: {80: {mode: PERMISSIVE}}}`))
    expect(ofWorkload('shop', app)).toEqual(['shop/converted_peer_authentication_tea'])
    expect(ofWorkload('shop', { app: 'milk' })).toEqual(['istio-system/istio_converted_static_strict'])
  })

  test('AuthorizationPolicies that select it are named; those of the namespace hold without', () => {
    const { ofWorkload } = policiesOf(authorization('own', `{${selector}, rules: [{}]}`) + authorization('all', '{rules: [{}]}'))
    expect(ofWorkload('shop', app)).toEqual(['shop/own'])
    expect(ofWorkload('other', app)).toEqual([])
  })
})
