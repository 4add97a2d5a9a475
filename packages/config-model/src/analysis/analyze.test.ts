import { describe, expect, test } from 'vitest'
import { readYaml } from '../read.js'
import { type AnalysisMessage, analyzeFiles, analyzeResources } from './analyze.js'
import { ANALYZERS, OPTIONAL_ANALYZERS } from './analyzers/index.js'
import { formatForEditors, formatForPeople, isMessageCode, messageToJson } from './format.js'
import { parseSuppression, type Suppression } from './suppress.js'

const ROUTE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: cart
  namespace: shop
spec:
  hosts: [cart]
  http:
  - route:
    - destination:
        host: nowhere
`
const files = (...texts: readonly string[]): { file: string; text: string }[] =>
  texts.map((text, i) => ({ file: `${'abc'[i]}.yaml`, text }))
const analyze = (...texts: readonly string[]): readonly AnalysisMessage[] => analyzeFiles(files(...texts), { now: 0 })
const codes = (messages: readonly AnalysisMessage[]): string[] => messages.map(({ code, subject }) => `${code} ${subject}`)

test('every analyzer has a name of its own, and says what it tells', () => {
  const all = [...ANALYZERS, ...OPTIONAL_ANALYZERS]
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  for (const { summary, messages } of all) expect([summary === '', messages.length === 0]).toEqual([false, false])
})

test('a message for people, for editors and for programs', () => {
  const [message] = analyze(ROUTE)
  expect(formatForPeople(message!)).toBe(
    'Error [IST0101] (VirtualService shop/cart a.yaml:11) Referenced host not found: "nowhere"',
  )
  expect(formatForEditors(message!)).toBe('a.yaml:11:9: error: Referenced host not found: "nowhere" [IST0101]')
  expect(messageToJson(message!)).toEqual({
    code: 'IST0101',
    name: 'ReferencedResourceNotFound',
    level: 'Error',
    origin: 'VirtualService shop/cart',
    reference: 'a.yaml:11',
    file: 'a.yaml',
    line: 11,
    column: 9,
    message: 'Referenced host not found: "nowhere"',
    documentationUrl: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
    path: 'spec.http[0].route[0].destination.host',
    analyzer: 'virtualservice.DestinationHostAnalyzer',
  })
})

test('errors come first, then codes, then objects', () => {
  const found = analyze(
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n',
    ROUTE.replace('name: cart', 'name: z'),
    ROUTE,
  )
  expect(codes(found)).toEqual([
    'IST0101 VirtualService shop/cart',
    'IST0101 VirtualService shop/z',
    'IST0109 VirtualService shop/cart',
    'IST0109 VirtualService shop/z',
    'IST0102 Namespace shop',
  ])
})

test('what cannot be read is told, and the rest is analyzed', () => {
  const found = analyze('kind: [', 'apiVersion: v1\nkind: Service\n', ROUTE)
  expect(found.map(({ code, origin }) => `${code} ${origin?.file}`)).toEqual([
    'IST0101 c.yaml',
    'IST0106 a.yaml',
    'IST0106 b.yaml',
  ])
})

test('an object with a field too many is analyzed all the same; one of Istio’s with a wrong type is not', () => {
  expect(codes(analyze(ROUTE.replace('hosts: [cart]', 'hosts: [cart]\n  nonsense: 1'))).map((line) => line.slice(0, 7))).toEqual([
    'IST0101',
    'IST0106',
  ])
  expect(codes(analyze(ROUTE.replace('hosts: [cart]', 'hosts: 7'))).map((line) => line.slice(0, 7))).toEqual(['IST0106'])
})

test('of an object that comes twice the last counts; what is in Kubernetes’ own namespaces does not', () => {
  expect(
    analyze(ROUTE, ROUTE.replace('nowhere', 'cart'), 'apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\n'),
  ).toEqual([])
  expect(analyze(ROUTE.replace('namespace: shop', 'namespace: kube-system'))).toEqual([])
})

describe('quiet', () => {
  const annotated = (value: string): string =>
    ROUTE.replace('name: cart', `name: cart\n  annotations: {galley.istio.io/analyze-suppress: "${value}"}`)

  test.each(['IST0101', 'IST0999, IST0101', '*'])('by the annotation %s', (value) =>
    expect(analyze(annotated(value))).toEqual([]),
  )
  test('not by the annotation of another code', () => expect(analyze(annotated('IST0102'))).toHaveLength(1))

  test.each([
    ['IST0101=VirtualService shop/cart', 0],
    ['IST0101=VirtualService shop/*', 0],
    ['IST0101=*', 0],
    ['IST0101=VirtualService cart.shop', 0],
    ['IST0101=VirtualService sho.*', 1],
    ['IST0101=Pod shop/cart', 1],
    ['IST0102=*', 1],
  ])('%s leaves %i', (text, left) => {
    const suppressions = [parseSuppression(text) as Suppression]
    expect(analyzeFiles(files(ROUTE), { now: 0, suppressions })).toHaveLength(left)
  })

  test('codes and forms that are none', () => {
    expect(['IST0101', '=', 'IST0101=', 'a=b=c'].map(parseSuppression)).toEqual([undefined, undefined, undefined, undefined])
    expect([isMessageCode('IST0101'), isMessageCode('HDL0101'), isMessageCode('IST9999')]).toEqual([true, true, false])
  })
})

test('an installation has an ingress gateway, unless nobody may take it as given', () => {
  const gateway =
    'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}\n'
  expect(analyze(gateway)).toEqual([])
  expect(codes(analyzeFiles(files(gateway), { now: 0, defaults: false }))).toEqual(['IST0101 Gateway shop/g'])
})

test('decoded resources are analyzed without places', () => {
  const { resources } = readYaml(ROUTE, { file: 'a.yaml' })
  const [message] = analyzeResources(resources, { now: 0 })
  expect(formatForEditors(message!)).toBe('VirtualService shop/cart: error: Referenced host not found: "nowhere" [IST0101]')
  expect(message).not.toHaveProperty('origin')
})

test('a Gateway is Istio’s or of the Gateway API by its group, from files as from a store', () => {
  const text = (hostname: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: ${hostname}}]
---
${ROUTE.replace('hosts: [cart]', 'hosts: [cart.com]\n  gateways: [g]').replace('host: nowhere', 'host: cart')}
---
{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}}
`
  const both = (hostname: string): string[][] => [
    codes(analyze(text(hostname))),
    codes(analyzeResources(readYaml(text(hostname), { file: 'a.yaml' }).resources, { now: 0 })),
  ]
  expect(both('cart.com')).toEqual([[], []])
  expect(both('tea.com')).toEqual([['IST0132 VirtualService shop/cart'], ['IST0132 VirtualService shop/cart']])
})
