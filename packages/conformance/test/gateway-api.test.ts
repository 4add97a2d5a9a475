import { expect, test } from 'vitest'
import { folderOf, run } from '../src/testing.js'

/** The suites of the Gateway API and of Ingress: each with an expectation that is right, and the same one changed. */

const CERTIFICATE = {
  'tls.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  'tls.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
}
const FIXTURES = {
  services: [
    {
      Hostname: 'tea.shop.svc.domain.suffix',
      Attributes: { Namespace: 'shop' },
      Ports: [{ Name: 'http', Port: 80, Protocol: 'HTTP' }],
    },
  ],
  secretsAndConfigMaps: [{ ObjectMeta: { Name: 'cert', Namespace: 'shop' }, Data: CERTIFICATE }],
  domainSuffix: 'domain.suffix',
}

const MESH_ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tea, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: tea}]
  rules: [{backendRefs: [{name: tea, port: 80}]}]
`
const converted = (host: string, reason: string): Record<string, unknown> => ({
  'gateway-api-fixtures.json.gz': FIXTURES,
  'gateway-api.json': [
    {
      id: 'g',
      input: MESH_ROUTE,
      want: `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  annotations: {internal.istio.io/parents: HTTPRoute/tea.shop, internal.istio.io/route-semantics: gateway}
  name: shop~tea.shop.svc.domain.suffix
  namespace: shop
spec:
  gateways: [mesh]
  hosts: [tea.shop.svc.domain.suffix]
  http:
  - name: shop.tea.0
    route: [{destination: {host: ${host}, port: {number: 80}}}]
`,
      wantStatus: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tea, namespace: shop}
status:
  parents:
  - conditions:
    - {lastTransitionTime: fake, message: whatever, reason: ${reason}, status: "True", type: Accepted}
    - {lastTransitionTime: fake, message: whatever, reason: ResolvedRefs, status: "True", type: ResolvedRefs}
    controllerName: istio.io/gateway-controller
    parentRef: {group: "", kind: Service, name: tea}
`,
    },
  ],
})
const HOST = 'tea.shop.svc.domain.suffix'

const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tea, namespace: gateway-conformance-infra}
spec:
  parentRefs: [{name: same-namespace}]
  rules:
  - matches: [{path: {value: /tea}}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Set, value: here}]}}]
    backendRefs: [{name: infra-backend-v2, port: 8080}]
`
const NAME = { Name: 'tea', Namespace: 'gateway-conformance-infra' }
const GATEWAY = { Name: 'same-namespace', Namespace: 'gateway-conformance-infra' }
const asked = (Backend: string, Reason: string, set = 'here'): Record<string, unknown> => ({
  'gateway-api-fixtures.json': FIXTURES,
  'gateway-api-conformance.json': [
    {
      id: 'c',
      manifests: [ROUTE],
      actions: [
        { check: 'kubernetes.GatewayAndHTTPRoutesMustBeAccepted', args: ['$kubernetes.NewGatewayRef', NAME] },
        {
          check: 'kubernetes.HTTPRouteMustHaveCondition',
          args: [NAME, GATEWAY, { Type: 'ResolvedRefs', Status: 'True', Reason }],
        },
        {
          check: 'http.MakeRequestAndExpectEventuallyConsistentResponse',
          args: ['$', { Request: { Path: '/coffee' }, Response: { StatusCode: 404 } }],
        },
        {
          check: 'http.MakeRequestAndExpectEventuallyConsistentResponse',
          args: [
            '$',
            {
              Request: { Path: '/tea/green' },
              ExpectedRequest: { Request: { Path: '/tea/green', Headers: { 'X-Set': set } } },
              Backend,
              Namespace: 'gateway-conformance-infra',
            },
          ],
        },
      ],
    },
  ],
})

const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: tea, namespace: shop}
spec: {defaultBackend: {service: {name: tea, port: {number: 80}}}}
`
const ingress = (title: string): Record<string, unknown> => ({
  'ingress.json': [{ id: 'i', input: INGRESS.replace('kind: Ingress', `kind: ${title}`), want: '' }],
})

test.each<[string, Record<string, unknown>, Record<string, unknown>, unknown]>([
  [
    'gateway-api: configuration',
    converted(HOST, 'Accepted'),
    converted('cake.shop', 'Accepted'),
    expect.stringContaining(`destination.host: want "cake.shop", got "${HOST}"`),
  ],
  [
    'gateway-api: a status',
    converted(HOST, 'Accepted'),
    converted(HOST, 'Refused'),
    'status of HTTPRoute shop/tea: parents[0].conditions[0].reason: want "Refused", got "Accepted"',
  ],
  [
    'gateway-api-conformance: a backend',
    asked('infra-backend-v2', 'ResolvedRefs'),
    asked('infra-backend-v1', 'ResolvedRefs'),
    expect.stringContaining('want infra-backend-v1, got infra-backend-v2-1'),
  ],
  [
    'gateway-api-conformance: a header',
    asked('infra-backend-v2', ''),
    asked('infra-backend-v2', '', 'there'),
    expect.stringContaining('want header X-Set: "there", got "here"'),
  ],
  [
    'gateway-api-conformance: a condition',
    asked('infra-backend-v2', ''),
    asked('infra-backend-v2', 'BackendNotFound'),
    expect.stringContaining('1 HTTPRouteMustHaveCondition: want'),
  ],
  ['ingress', ingress('NoIngress'), ingress('Ingress'), expect.stringContaining('objects[0]: want nothing')],
])('%s: right expectations pass, changed ones fail', async (_, right, changed, why) => {
  expect(await run(['--data', folderOf(right)])).toMatchObject({
    code: 0,
    out: expect.stringContaining(': 1/1\n1 passed, 0 failed'),
  })
  const failed = await run(['--data', folderOf(changed), '-o', 'json'])
  expect(failed.code).toBe(1)
  expect(Object.values(JSON.parse(failed.out))).toMatchObject([{ passed: 0, total: 1, cases: [{ ok: false, why }] }])
})
