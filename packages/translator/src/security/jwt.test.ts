import { createStore, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { type ProxyDescriptor, proxyFromJson } from '../proxy.js'
import { type TranslateOptions, translate } from '../translate.js'

const policy = (name: string, spec: string, namespace = 'shop'): string =>
  `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`

function proxy(type: string): ProxyDescriptor {
  const found = proxyFromJson({ id: 'tea-0', namespace: 'shop', type, ip: '10.0.0.1', labels: { app: 'tea' } })
  if (!found.ok) throw new Error('no proxy')
  return found.value
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a resource is checked by reading it
type Json = any

/** The JWT filters of the whole configuration, each once. */
function filters(yaml: string, options: TranslateOptions = {}): Json[] {
  const store = createStore()
  store.apply({ set: readYaml(yaml, { file: 'f.yaml' }).resources })
  const text = JSON.stringify(
    translate(store.snapshot(), proxy('sidecar'), options).resources.groups.map((g) => [...g.resources]),
  )
  const found = new Set<string>()
  JSON.parse(text, (_key, value) => {
    if (value?.name === 'envoy.filters.http.jwt_authn') found.add(JSON.stringify(value.typed_config))
    return value
  })
  return [...found].map((one) => JSON.parse(one))
}

const KEYS = '{"keys":[]}'

describe('RequestAuthentication', () => {
  test('of one issuer lets requests without a token pass', () => {
    const [one] = filters(policy('a', `{jwtRules: [{issuer: i, jwks: '${KEYS}'}]}`))
    expect(one.rules).toEqual([
      {
        match: { prefix: '/' },
        requires: { requires_any: { requirements: [{ provider_name: 'origins-0' }, { allow_missing: {} }] } },
      },
    ])
    expect(one.providers['origins-0']).toEqual({
      issuer: 'i',
      payload_in_metadata: 'payload',
      normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope'] },
      local_jwks: { inline_string: KEYS },
    })
  })

  test('of several issuers takes a token of any of them, and refuses a bad one', () => {
    const [one] = filters(
      [
        policy('a', `{jwtRules: [{issuer: z, jwks: '${KEYS}'}]}`),
        policy('b', `{jwtRules: [{issuer: x, jwks: '${KEYS}'}]}`, 'istio-system'),
      ].join('---\n'),
    )
    expect(Object.values(one.providers).map((p: Json) => p.issuer)).toEqual(['x', 'z'])
    const either = (name: string): object => ({
      requires_any: { requirements: [{ provider_name: name }, { allow_missing: {} }] },
    })
    expect(one.rules[0].requires.requires_any.requirements).toEqual([
      { provider_name: 'origins-0' },
      { provider_name: 'origins-1' },
      { requires_all: { requirements: [either('origins-0'), either('origins-1')] } },
    ])
  })

  test.each<[string, string, object]>([
    ['audiences', 'audiences: [a, b]', { audiences: ['a', 'b'] }],
    [
      'headers',
      'fromHeaders: [{name: x-t, prefix: "T "}, {name: x-u}]',
      { from_headers: [{ name: 'x-t', value_prefix: 'T ' }, { name: 'x-u' }] },
    ],
    ['cookies and parameters', 'fromCookies: [c], fromParams: [p]', { from_cookies: ['c'], from_params: ['p'] }],
    [
      'the token for the application',
      'forwardOriginalToken: true, outputPayloadToHeader: x-p',
      { forward: true, forward_payload_header: 'x-p' },
    ],
    [
      'claims for the application',
      'outputClaimToHeaders: [{header: x-sub, claim: sub}]',
      { claim_to_headers: [{ header_name: 'x-sub', claim_name: 'sub' }] },
    ],
    [
      'claims with spaces',
      'spaceDelimitedClaims: [zone, scope]',
      { normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope', 'zone'] } },
    ],
  ])('says %s', (_name, fields, wanted) => {
    const [one] = filters(policy('a', `{jwtRules: [{issuer: i, jwks: '${KEYS}', ${fields}}]}`))
    expect(one.providers['origins-0']).toMatchObject(wanted)
  })

  test('has keys of a URI from whoever fetched them, and refuses all tokens while they are unknown', () => {
    const yaml = policy('a', '{jwtRules: [{issuer: i, jwksUri: "https://i.example/keys"}]}')
    const keys = (options: TranslateOptions): string => filters(yaml, options)[0].providers['origins-0'].local_jwks.inline_string
    expect(keys({ jwks: ({ jwksUri, issuer }) => `${issuer} at ${jwksUri}` })).toBe('i at https://i.example/keys')
    expect(JSON.parse(keys({})).keys).toEqual([{ e: 'AQAB', kid: 'abc', kty: 'RSA', n: 'aHR0cHM6Ly9pLmV4YW1wbGUva2V5cw' }])
  })

  test.each<[string, string]>([
    ['of other workloads', policy('a', `{selector: {matchLabels: {app: cake}}, jwtRules: [{issuer: i, jwks: '${KEYS}'}]}`)],
    ['of other namespaces', policy('a', `{jwtRules: [{issuer: i, jwks: '${KEYS}'}]}`, 'other')],
    ['without rules', policy('a', '{}')],
  ])('one %s changes nothing', (_name, yaml) => {
    expect(filters(yaml)).toEqual([])
  })
})
