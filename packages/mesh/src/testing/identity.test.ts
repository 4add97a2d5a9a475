import { generateKeyPairSync, sign } from 'node:crypto'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, test } from 'vitest'
import { createTestMesh } from './test-mesh.js'

const NOW = Date.UTC(2026, 0, 1)
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
function token(claims: object): Record<string, string> {
  const text = `${encoded({ alg: 'ES256' })}.${encoded({ iss: 'https://iss', sub: 'ann', ...claims })}`
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return { authorization: `Bearer ${text}.${signature.toString('base64url')}` }
}

const workload = (name: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec: {serviceAccountName: ${name}}\n`
const apps = [
  'apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec:\n  selector: {app: cart}\n  ports: [{name: http, port: 80}]\n',
  workload('cart'),
  workload('client'),
].join('---\n')

describe('RequestAuthentication', () => {
  const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
  const policy = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: shop}
spec:
  jwtRules: [{issuer: 'https://iss', jwks: '${jwks}'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admins, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from: [{source: {requestPrincipals: ['https://iss/*']}}]
    when: [{key: 'request.auth.claims[role]', values: [admin]}]
`
  const mesh = createTestMesh({ files: { 'apps.yaml': apps, 'policy.yaml': policy }, clock: createFakeClock({ now: NOW }) })

  test('a good token gets in by its claims, an expired one and none do not', async () => {
    await mesh.expectReach('cart', 'client', 'http://cart/', { headers: token({ role: 'admin' }) })
    await mesh.expectRefused(403, 'client', 'http://cart/', { headers: token({ role: 'user' }) })
    await mesh.expectRefused(401, 'client', 'http://cart/', { headers: token({ role: 'admin', exp: NOW / 1000 - 61 }) })
    await mesh.expectRefused(401, 'client', 'http://cart/', { headers: { authorization: 'Bearer x.y.z' } })
    await mesh.expectRefused(403, 'client', 'http://cart/')
  })

  test('the denial is explained: which rule came nearest, and what it missed', async () => {
    const { explanation } = await mesh.request('client', 'http://cart/', { headers: token({ role: 'user' }) })
    expect(explanation.stages.at(-1)).toMatchObject({ stage: 'http_filter', outcome: 'reply' })
    expect(explanation.stages.at(-1)?.reason).toContain('nearest is ns[shop]-policy[admins]-rule[0]')
  })
})

test('CUSTOM: the service that decides is named, for what the policy selects', async () => {
  const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: custom, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  action: CUSTOM
  provider: {name: ours}
  rules: [{to: [{operation: {paths: [/admin]}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: authz, namespace: shop}
spec:
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |-
    extensionProviders: [{name: ours, envoyExtAuthzHttp: {service: authz.shop.svc.cluster.local, port: 80}}]
`
  const mesh = createTestMesh({ files: { 'apps.yaml': apps, 'policy.yaml': policy } })
  const asked = async (path: string): Promise<unknown> => {
    const { explanation } = await mesh.request('client', `http://cart${path}`)
    return explanation.stages.find(({ name }) => name === 'envoy.filters.http.ext_authz')
  }
  const decides = 'the authorization service behind outbound|80||authz.shop.svc.cluster.local decides'
  expect(await asked('/admin')).toMatchObject({ outcome: 'maybe', reason: decides })
  expect(await asked('/')).toMatchObject({ outcome: 'pass' })
})

describe('rehearsals', () => {
  const annotated = (kind: string, spec: string): string =>
    `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: later, namespace: shop, annotations: {heddle.dev/dry-run: 'true'}}\nspec: ${spec}\n`
  const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
  const reasons = async (policy: string, headers: Record<string, string> = {}): Promise<string> => {
    const mesh = createTestMesh({ files: { 'apps.yaml': apps, 'policy.yaml': policy }, clock: createFakeClock({ now: NOW }) })
    await mesh.expectReach('cart', 'client', 'http://cart/', { headers })
    const { explanation } = await mesh.request('client', 'http://cart/', { headers })
    return explanation.stages.map(({ reason = '' }) => reason).join('\n')
  }

  test('RequestAuthentication: who would be refused gets in, and the rule is named', async () => {
    const policy = annotated('RequestAuthentication', `{jwtRules: [{issuer: 'https://iss', jwks: '${jwks}'}]}`)
    const expired = token({ exp: NOW / 1000 - 61 })
    const why = 'a token fails under ns[shop]-policy[later]-rule[0] (Jwt is expired), and is let pass'
    expect(await reasons(policy, expired)).toContain(why)
    expect(await reasons(policy, token({}))).not.toContain('fails')
  })

  test('PeerAuthentication: STRICT keeps nobody out yet', async () => {
    const policy = annotated('PeerAuthentication', '{mtls: {mode: STRICT}}')
    expect(await reasons(policy)).not.toContain('strict')
    // Without a sidecar's certificate.
    const off = `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: plain, namespace: shop}\nspec: {host: cart, trafficPolicy: {tls: {mode: DISABLE}}}\n`
    expect(await reasons(`${policy}---\n${off}`)).toContain(
      'shadow: DENY policy ns[shop]-peer-authentication[later]-strict matched',
    )
  })
})
