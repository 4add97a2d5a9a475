import { describe, expect, test } from 'vitest'
import { analyzeFiles } from '../analyze.js'
import type { Analyzer } from '../analyzer.js'
import { faultRetries } from './fault-retries.js'
import { mergedRoutes } from './merged-routes.js'
import { mutualTlsConflicts } from './mutual-tls-conflicts.js'
import { mutualTlsWithoutProxy } from './mutual-tls-without-proxy.js'
import { neverMatchingRules } from './never-matching-rules.js'
import { overriddenPolicies } from './overridden-policies.js'
import { shadowedRoutes } from './shadowed-routes.js'
import { weightlessDestinations } from './weightless-destinations.js'

/** `CODE path message` of all that an analyzer says about objects of namespace shop. */
function told(analyzer: Analyzer, ...objects: readonly object[]): string[] {
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n')
  return analyzeFiles([{ file: 'a.yaml', text }], { now: 0, analyzers: [analyzer], defaultNamespace: 'shop' }).map(
    ({ code, path, message }) => `${code} ${path} ${message}`,
  )
}

const object = (kind: string, apiVersion: string, spec: object, metadata: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name: 'a', ...metadata },
  spec,
})

const routes = (...http: readonly object[]): object =>
  object('VirtualService', 'networking.istio.io/v1', {
    hosts: ['a'],
    http: http.map((rule) => ({ route: [{ destination: { host: 'a' } }], ...rule })),
  })

const match = (...matches: readonly object[]): object => ({ match: matches })
const uri = (how: string, value: string, more: object = {}): object => ({ uri: { [how]: value }, ...more })

describe('shadowed routes', () => {
  test.each<[string, object, object]>([
    ['everything', {}, match(uri('exact', '/a'))],
    ['a prefix, an exact path', match(uri('prefix', '/a')), match(uri('exact', '/a/b'))],
    ['a prefix, a regex', match(uri('prefix', '/a')), match(uri('regex', '/a/[0-9]+'))],
    ['a regex, a prefix', match(uri('regex', '/(a|b).*')), match(uri('prefix', '/b/'))],
    ['all paths, no matches', match(uri('prefix', '/')), {}],
    ['fewer headers', match({ headers: { A: { exact: 'x' } } }), match({ headers: { a: { exact: 'x' }, b: { exact: 'y' } } })],
    ['a header that is there', match({ headers: { a: {} } }), match({ headers: { a: { prefix: 'x' } } })],
    ['a method by regex', match({ method: { regex: 'GET|HEAD' } }), match({ method: { exact: 'GET' } })],
    ['a query parameter', match({ queryParams: { q: { regex: '\\d+' } } }), match({ queryParams: { q: { exact: '12' } } })],
    [
      'less that is excluded',
      match({ withoutHeaders: { a: { exact: 'x' } } }),
      match({ withoutHeaders: { a: { prefix: 'x' } } }),
    ],
    ['ports, labels and gateways', match(uri('prefix', '/')), match(uri('prefix', '/', { port: 80, sourceLabels: { a: 'b' } }))],
    ['without case', match(uri('prefix', '/a', { ignoreUriCase: true })), match(uri('exact', '/A/b'))],
  ])('%s', (_name, earlier, later) => {
    const path = 'match' in later ? 'spec.http[1].match[0]' : 'spec.http[1]'
    const found = told(shadowedRoutes, routes(earlier, later))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(`HDL0101 ${path} No request reaches this match: spec.http[0]`)
  })

  test.each<[string, object, object]>([
    ['the other way round', match(uri('exact', '/a/b')), match(uri('prefix', '/a'))],
    ['another method', match(uri('prefix', '/', { method: { exact: 'GET' } })), match(uri('prefix', '/a'))],
    ['a header more', match({ headers: { a: { exact: 'x' } } }), match(uri('exact', '/a'))],
    ['another port', match({ port: 80 }), match({ port: 81 })],
    ['another gateway', match({ gateways: ['g'] }), match({ gateways: ['mesh'] })],
    ['more labels', match({ sourceLabels: { a: 'b' } }), match(uri('exact', '/a'))],
    ['more that is excluded', match({ withoutHeaders: { a: {} } }), match({ withoutHeaders: { a: { exact: 'x' } } })],
    ['a delegate, which may leave some', { route: undefined, delegate: { name: 'd' } }, match(uri('exact', '/a'))],
    ['case', match(uri('prefix', '/a')), match(uri('prefix', '/a', { ignoreUriCase: true }))],
  ])('not: %s', (_name, earlier, later) => expect(told(shadowedRoutes, routes(earlier, later))).toEqual([]))

  test('alternatives of one rule shadow nothing', () => {
    expect(told(shadowedRoutes, routes(match(uri('prefix', '/'), uri('regex', '/a.*'))))).toEqual([])
  })

  test('what validation tells is not told again', () => {
    expect(told(shadowedRoutes, routes(match(uri('prefix', '/a')), match(uri('prefix', '/a'))))).toEqual([])
    expect(told(shadowedRoutes, routes({}, {}))).toEqual([])
  })

  test('TLS by SNI, TCP by port', () => {
    const destination = { route: [{ destination: { host: 'a' } }] }
    const tls = object('VirtualService', 'networking.istio.io/v1', {
      hosts: ['*.a.com'],
      tls: [
        { match: [{ sniHosts: ['*.a.com'] }], ...destination },
        { match: [{ sniHosts: ['b.a.com'], port: 443 }], ...destination },
      ],
      tcp: [
        { match: [{ port: 1 }], ...destination },
        { match: [{ port: 1, sourceLabels: { a: 'b' } }], ...destination },
      ],
    })
    expect(told(shadowedRoutes, tls).map((line) => line.split(' ')[1])).toEqual(['spec.tcp[1].match[0]', 'spec.tls[1].match[0]'])
  })
})

describe('VirtualServices that a gateway merges', () => {
  const service = (name: string, hosts: readonly string[], more: object, ...http: readonly object[]): object =>
    object(
      'VirtualService',
      'networking.istio.io/v1',
      { hosts, gateways: ['g'], http: http.map((rule) => ({ route: [{ destination: { host: 'a' } }], ...rule })), ...more },
      { name },
    )
  const api = match(uri('prefix', '/api'))

  test('the newer has for nothing what the older has', () => {
    expect(
      told(mergedRoutes, service('a', ['a.com'], {}, api), service('b', ['a.com'], {}, match(uri('exact', '/api/x')))),
    ).toEqual([
      'HDL0101 spec.http[0].match[0] No request reaches this match: VirtualService shop/a spec.http[0].match[0] takes all that it would take.',
    ])
    expect(told(mergedRoutes, service('a', ['a.com', 'b.com'], {}, {}), service('b', ['a.com'], {}, {}))).toHaveLength(1)
  })

  test.each<[string, object, object]>([
    ['other paths', service('a', ['a.com'], {}, api), service('b', ['a.com'], {}, match(uri('prefix', '/web')))],
    ['another host', service('a', ['a.com'], {}, api), service('b', ['b.com'], {}, api)],
    ['a host more', service('a', ['a.com'], {}, api), service('b', ['a.com', 'b.com'], {}, api)],
    ['another gateway', service('a', ['a.com'], {}, api), service('b', ['a.com'], { gateways: ['h'] }, api)],
    ['what takes everything is tried last', service('a', ['a.com'], {}, {}), service('b', ['a.com'], {}, api)],
    [
      'sidecars, which IST0109 tells',
      service('a', ['a.com'], { gateways: ['mesh'] }, api),
      service('b', ['a.com'], { gateways: ['mesh'] }, api),
    ],
  ])('not: %s', (_name, older, newer) => expect(told(mergedRoutes, older, newer)).toEqual([]))
})

test('retries do not retry the fault of their rule', () => {
  const rule = (abort: object, retries: object): string[] => told(faultRetries, routes({ fault: { abort }, retries }))
  expect(rule({ httpStatus: 503, percentage: { value: 50 } }, { attempts: 3 })[0]).toMatch(/^HDL0107 spec\.http\[0\]\.retries /)
  expect(rule({ httpStatus: 503, percentage: { value: 50 } }, { attempts: 0 })).toEqual([])
  expect(rule({ httpStatus: 503, percentage: { value: 0 } }, { attempts: 3 })).toEqual([])
})

describe('weights', () => {
  const canary = (...weights: readonly number[]): object =>
    routes({ route: weights.map((weight, i) => ({ destination: { host: 'a', subset: `v${i + 1}` }, weight })) })

  test('100 to 0 and 0 to 100 are told, each the right way round', () => {
    expect(told(weightlessDestinations, canary(100, 0))[0]).toMatch(
      /route\[1\]\.weight Destination a \(v2\) .* all go to a \(v1\)/,
    )
    expect(told(weightlessDestinations, canary(0, 100))[0]).toMatch(
      /route\[0\]\.weight Destination a \(v1\) .* all go to a \(v2\)/,
    )
  })

  test('shares are not', () => expect(told(weightlessDestinations, canary(90, 10))).toEqual([]))
})

describe('rules that never match', () => {
  const policy = (rule: object, spec: object = {}): object =>
    object('AuthorizationPolicy', 'security.istio.io/v1', { action: 'DENY', ...spec, rules: [rule] })
  const from = (source: object): object => ({ from: [{ source }] })
  const to = (operation: object): object => ({ to: [{ operation }] })
  const deployment = object(
    'Deployment',
    'apps/v1',
    { template: { metadata: { labels: { app: 'a' } } } },
    { labels: { app: 'a' } },
  )
  const tokens = object('RequestAuthentication', 'security.istio.io/v1', {
    selector: { matchLabels: { app: 'a' } },
    jwtRules: [{ issuer: 'i' }],
  })
  const peers = (mode: string): object => object('PeerAuthentication', 'security.istio.io/v1', { mtls: { mode } })

  test.each<[string, object, string]>([
    ['excluded again', from({ namespaces: ['a'], notNamespaces: ['*'] }), 'namespaces notNamespaces excludes "a"'],
    ['a prefix of a prefix', to({ paths: ['/a/*'], notPaths: ['/a*'] }), 'paths notPaths excludes "/a/*"'],
    ['a condition', { when: [{ key: 'request.headers[x]', values: ['a'], notValues: ['a'] }] }, 'values notValues excludes "a"'],
    ['a method', to({ methods: ['get'] }), 'methods[0] method "get" is written "GET"'],
    ['a path', to({ paths: ['admin'] }), 'paths[0] paths begin with "/", and "admin" does not'],
    ['a principal', from({ principals: ['spiffe://td/ns/a/sa/b'] }), 'principals[0] principals are written without "spiffe://"'],
    [
      'principals of other namespaces',
      from({ principals: ['td/ns/a/sa/b'], namespaces: ['c'] }),
      'source the namespaces of its principals are none of its namespaces',
    ],
    ['a token that nobody verifies', from({ requestPrincipals: ['*'] }), 'requestPrincipals no RequestAuthentication'],
    ['a claim', { when: [{ key: 'request.auth.claims[g]', values: ['x'] }] }, 'key no RequestAuthentication'],
  ])('%s', (_name, rule, expected) => {
    const found = told(neverMatchingRules, policy(rule))
    expect(found).toHaveLength(1)
    expect(found[0]!.replace('No request matches this: ', '')).toContain(expected)
  })

  test('a peer without mutual TLS is nobody', () => {
    const rule = policy(from({ principals: ['td/ns/a/sa/b'] }))
    expect(told(neverMatchingRules, rule, deployment, peers('DISABLE'))[0]).toMatch(
      /PeerAuthentication shop\/a turns mutual TLS off/,
    )
    expect(told(neverMatchingRules, rule, deployment, peers('STRICT'))).toEqual([])
  })

  test.each<[string, object]>([
    ['some values are left', from({ namespaces: ['a', 'b'], notNamespaces: ['a'] })],
    ['nobody without a token', from({ notRequestPrincipals: ['*'] })],
    ['a suffix', to({ paths: ['*.html'], methods: ['GET'] })],
    ['a wildcard takes more than what is excluded', to({ paths: ['*'], notPaths: ['/a*'] })],
  ])('not: %s', (_name, rule) => expect(told(neverMatchingRules, policy(rule))).toEqual([]))

  test('a token that is verified', () => {
    const rule = policy(from({ requestPrincipals: ['*'] }), { selector: { matchLabels: { app: 'a' } } })
    expect(told(neverMatchingRules, rule, tokens, deployment)).toEqual([])
  })
})

describe('mutual TLS', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } }
  const rule = (tls: object): object => object('DestinationRule', 'networking.istio.io/v1', { host: 'a', trafficPolicy: { tls } })
  const peers = (spec: object): object => object('PeerAuthentication', 'security.istio.io/v1', spec)
  const ask = (mode: string, spec: object, ...more: readonly object[]): string[] =>
    told(mutualTlsConflicts, service, rule({ mode }), peers(spec), ...more)

  test('ISTIO_MUTUAL where mutual TLS is off: the mode that turns it on was taken for the one that leaves it out', () => {
    expect(ask('ISTIO_MUTUAL', { mtls: { mode: 'DISABLE' } })).toEqual([
      'HDL0103 spec.trafficPolicy.tls.mode Requests to a will fail: this DestinationRule has TLS mode ISTIO_MUTUAL, but PeerAuthentication shop/a has mode DISABLE. ISTIO_MUTUAL turns mutual TLS on: to have none, write DISABLE or leave `tls` out.',
    ])
  })

  test('plain text where only mutual TLS is taken, by who has a proxy', () => {
    expect(ask('DISABLE', { mtls: { mode: 'STRICT' } }, namespace)).toHaveLength(1)
    expect(ask('DISABLE', { mtls: { mode: 'STRICT' } })).toEqual([])
  })

  test('the mode of the port counts', () => {
    const atPort = {
      selector: { matchLabels: { app: 'a' } },
      mtls: { mode: 'STRICT' },
      portLevelMtls: { 8080: { mode: 'DISABLE' } },
    }
    expect(ask('ISTIO_MUTUAL', atPort, namespace)).toHaveLength(1)
    expect(ask('DISABLE', atPort, namespace)).toEqual([])
  })

  test.each([
    ['ISTIO_MUTUAL', 'STRICT'],
    ['ISTIO_MUTUAL', 'PERMISSIVE'],
    ['DISABLE', 'PERMISSIVE'],
    ['DISABLE', 'DISABLE'],
  ])('%s fits %s', (mode, taken) => expect(ask(mode, { mtls: { mode: taken } }, namespace)).toEqual([]))
})

describe('mutual TLS without a proxy', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { selector: { app: 'a' } } }
  const pod = (inject: string): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { app: 'a', 'sidecar.istio.io/inject': inject } },
  })
  const rule = object('DestinationRule', 'networking.istio.io/v1', {
    host: 'a',
    trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } },
  })

  test('is told where the workload is left out', () => {
    expect(told(mutualTlsWithoutProxy, service, rule, pod('false'))).toEqual([
      'HDL0106 spec.trafficPolicy.tls.mode Requests to a will fail: this DestinationRule has TLS mode ISTIO_MUTUAL, which turns mutual TLS on, and Pod shop/a has no proxy that takes it. Write DISABLE or leave `tls` out.',
    ])
  })

  test('not where it is injected, or nobody says', () => {
    expect(told(mutualTlsWithoutProxy, service, rule, pod('true'))).toEqual([])
    expect(told(mutualTlsWithoutProxy, service, rule)).toEqual([])
    expect(
      told(mutualTlsWithoutProxy, service, rule, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'a', labels: { app: 'a' } },
      }),
    ).toEqual([])
  })
})

test('of two policies for the same workloads the older counts', () => {
  const policy = (name: string, creationTimestamp: string, spec: object): object =>
    object('PeerAuthentication', 'security.istio.io/v1', spec, { name, creationTimestamp })
  const wide = [policy('old', '2024-01-01T00:00:00Z', {}), policy('new', '2025-01-01T00:00:00Z', {})]
  expect(told(overriddenPolicies, ...wide)).toEqual([
    'HDL0105  PeerAuthentication shop/new has no effect: PeerAuthentication shop/old is of the same scope and older, and that one counts.',
  ])
  const selecting = policy('new', '2025-01-01T00:00:00Z', { selector: { matchLabels: { app: 'a' } } })
  expect(told(overriddenPolicies, wide[0]!, selecting)).toEqual([])
})
