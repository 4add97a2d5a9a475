import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { describe, expect, it } from 'vitest'
import { compileRouteConfiguration } from '../config/route-configuration.js'
import { createRuntime } from '../runtime.js'
import { head, testDeps } from '../testing.js'
import { mayRedirectTo, redirectTarget } from './internal-redirect.js'
import type { RouteTable } from './table.js'

/** Routes by matcher trees, runtime and internal redirects; and what hangs on virtual hosts. */

function table(virtualHost: object, more: object = {}, runtime = createRuntime([])): RouteTable {
  const json = { virtual_hosts: [{ name: 'all', domains: ['*'], ...virtualHost }], ...more } as RouteConfiguration
  const compiled = compileRouteConfiguration(json, testDeps({ runtime }), '')
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  return compiled.value
}
const dice = (value: number) => ({ next: () => value })
const nameOf = (routes: RouteTable, path: string, headers = {}, value = 0.5): string | undefined => {
  const decision = routes.resolve(head(path, headers), dice(value))
  return decision.kind === 'none' ? undefined : decision.route?.name
}

const TYPES = 'type.googleapis.com/envoy'
const route = (name: string, prefix = '/') => ({ name, match: { prefix }, direct_response: { status: 200 } })
const action = (value: object) => ({ action: { name: 'r', typed_config: value } })
const toRoute = (name: string) => action({ '@type': `${TYPES}.config.route.v3.Route`, ...route(name) })
const header = (header_name: string) => ({
  name: 'h',
  typed_config: { '@type': `${TYPES}.type.matcher.v3.HttpRequestHeaderMatchInput`, header_name },
})
const is = (name: string, exact: string) => ({ single_predicate: { input: header(name), value_match: { exact } } })

describe('a matcher tree', () => {
  it('takes the longest prefix, and a shorter one where that leads nowhere', () => {
    const nested = { matcher: { matcher_list: { matchers: [{ predicate: is('x-v', 'two'), on_match: toRoute('deep') }] } } }
    const map = { '/a': toRoute('a'), '/a/b': toRoute('ab'), '/a/c': nested }
    const routes = table({ matcher: { matcher_tree: { input: header(':path'), prefix_match_map: { map } } } })
    expect(nameOf(routes, '/a/b/c')).toBe('ab')
    expect(nameOf(routes, '/a/x')).toBe('a')
    expect(nameOf(routes, '/a/c', { 'x-v': 'two' })).toBe('deep')
    expect(nameOf(routes, '/a/c')).toBe('a')
    expect(nameOf(routes, '/z')).toBeUndefined()
  })

  it('joins predicates, and falls to on_no_match', () => {
    const both = { and_matcher: { predicate: [is('x-a', '1'), { not_matcher: is('x-b', '1') }] } }
    const either = { or_matcher: { predicate: [is('x-c', '1'), is('x-d', '1')] } }
    const matchers = [
      { predicate: both, on_match: toRoute('both') },
      { predicate: either, on_match: toRoute('either') },
    ]
    const routes = table({ matcher: { matcher_list: { matchers }, on_no_match: toRoute('else') } })
    expect(nameOf(routes, '/', { 'x-a': '1' })).toBe('both')
    expect(nameOf(routes, '/', { 'x-a': '1', 'x-b': '1', 'x-d': '1' })).toBe('either')
    expect(nameOf(routes, '/')).toBe('else')
  })

  it('may end in a list of routes, and in query parameters', () => {
    const list = action({ '@type': `${TYPES}.config.route.v3.RouteList`, routes: [route('one', '/one'), route('two', '/two')] })
    const typed_config = { '@type': `${TYPES}.type.matcher.v3.HttpRequestQueryParamMatchInput`, query_param: 'k' }
    const routes = table({
      matcher: { matcher_tree: { input: { name: 'q', typed_config }, exact_match_map: { map: { v: list } } } },
    })
    expect(nameOf(routes, '/two?k=v')).toBe('two')
    expect(nameOf(routes, '/three?k=v')).toBeUndefined()
    expect(nameOf(routes, '/two?k=w')).toBeUndefined()
  })
})

describe('more that a match may ask', () => {
  const matching = (match: object) => table({ routes: [{ ...route('it'), match: { prefix: '/', ...match } }, route('rest')] })

  it('cookies, absent ones too', () => {
    const session = { name: 'session', string_match: { exact: 'on' } }
    const routes = matching({ cookies: [session] })
    expect(nameOf(routes, '/', { cookie: 'a=b; session="on"' })).toBe('it')
    expect(nameOf(routes, '/', { cookie: 'session=off' })).toBe('rest')
    const inverted = matching({ cookies: [{ ...session, invert_match: true }] })
    expect([nameOf(inverted, '/'), nameOf(inverted, '/', { cookie: 'session=on' })]).toEqual(['it', 'rest'])
  })

  it('dynamic metadata, as far as it is there', () => {
    const dynamic_metadata = [{ filter: 'ns', path: [{ key: 'who' }], value: { string_match: { exact: 'me' } } }]
    const routes = matching({ dynamic_metadata })
    const asked = (who?: string) => ({ ...head('/'), ...(who !== undefined && { metadata: new Map([['ns', { who }]]) }) })
    const chosen = (who?: string) => {
      const decision = routes.resolve(asked(who), dice(0.5))
      return decision.kind === 'none' ? undefined : decision.route?.name
    }
    expect([chosen('me'), chosen('you'), chosen()]).toEqual(['it', 'rest', 'rest'])
  })
})

describe('runtime', () => {
  it('weighs clusters anew for each request, under runtime_key_prefix', () => {
    const clusters = [
      { name: 'x', weight: 1 },
      { name: 'y', weight: 0 },
    ]
    const runtime = createRuntime([{ name: 'admin', admin: true }])
    const route = { weighted_clusters: { clusters, runtime_key_prefix: 'w' } }
    const made = table({ routes: [{ match: { prefix: '/' }, route }] }, {}, runtime)
    const chosen = (): unknown => {
      const decision = made.resolve(head('/'), dice(0.5))
      return decision.kind === 'forward' && decision.target.cluster
    }
    expect(chosen()).toBe('x')
    runtime.modify(new Map([['w.x', '0']]))
    expect(chosen()).toBe('') // there is nothing left to choose from
    runtime.modify(new Map([['w.y', '3']]))
    expect(chosen()).toBe('y')
  })

  const layer = (values: Readonly<Record<string, unknown>>) => ({ name: 'static', values })
  const share = (key: string, numerator: number) => ({ runtime_key: key, default_value: { numerator } })
  const routes = (runtime: ReturnType<typeof createRuntime>) =>
    table(
      { routes: [{ ...route('some'), match: { prefix: '/', runtime_fraction: share('a.b', 50) } }, route('rest')] },
      {},
      runtime,
    )

  it('goes before the default value, and the admin layer before all', () => {
    const runtime = createRuntime([
      layer({ a: { b: 0 } }),
      layer({ 'a.b': { numerator: 25, denominator: 'HUNDRED' } }),
      { name: 'admin', admin: true },
    ])
    const made = routes(runtime)
    expect(nameOf(made, '/', {}, 0.24)).toBe('some')
    expect(nameOf(made, '/', {}, 0.26)).toBe('rest')
    runtime.modify(new Map([['a.b', '100']]))
    expect(nameOf(made, '/', {}, 0.99)).toBe('some')
    runtime.modify(new Map([['a.b', '']]))
    expect(nameOf(made, '/', {}, 0.26)).toBe('rest')
    expect(nameOf(routes(createRuntime([])), '/', {}, 0.49)).toBe('some')
  })

  it('flattens what is nested', () => {
    const runtime = createRuntime([layer({ a: { b: { c: 7 } }, d: true }), layer({ d: false })])
    expect(runtime.entries()).toEqual([
      ['a.b.c', ['7', '']],
      ['d', ['true', 'false']],
    ])
    expect(runtime.modify(new Map())).toBe(false)
  })
})

describe('an internal redirect', () => {
  const policy = {
    ...{
      max: 1,
      statuses: new Set([302, 303]),
      allowCrossScheme: false,
      safeCrossScheme: false,
      notTwice: true,
      copyHeaders: [],
    },
  }
  const request = { ...head('/old', {}, { method: 'POST' }), protocol: 'HTTP/1.1' } as never
  const none = { count: 0, routes: [] }

  it.each([
    ['http://other.example/new?q=1', 302, { method: 'POST', authority: 'other.example', path: '/new?q=1', withoutBody: false }],
    ['http://other.example', 302, { path: '/' }],
    ['http://other.example?q', 302, { path: '/?q' }],
    ['http://user:secret@other.example/', 302, { authority: 'other.example' }],
    ['http://other.example/new', 303, { method: 'GET', withoutBody: true }],
  ])('to %s with %i', (location, status, want) => {
    expect(redirectTarget(policy, status, location, request, none)).toMatchObject(want)
  })

  it.each([
    ['bad_location', '/new', none],
    ['unsafe_scheme', 'https://example.com/', { count: 1, routes: [] }],
    ['too_many_redirects', 'http://example.com/', { count: 1, routes: [] }],
  ])('is not followed: %s', (why, location, history) => {
    expect(redirectTarget(policy, 302, location, request, history)).toBe(why)
  })

  it('crosses schemes only as far as allowed', () => {
    const crossing = { ...policy, allowCrossScheme: true }
    expect(redirectTarget(crossing, 302, 'https://example.com/', request, none)).toMatchObject({ scheme: 'https' })
    const safe = { ...crossing, safeCrossScheme: true }
    expect(mayRedirectTo(safe, undefined, [], { from: 'http', to: 'https' })).toBe(false)
    expect(mayRedirectTo(safe, undefined, [], { from: 'https', to: 'http' })).toBe(true)
  })

  it('keeps to its routes', () => {
    const [one, two] = [{ name: 'one' }, { name: 'two' }] as never[]
    const schemes = { from: 'http', to: 'http' }
    expect(mayRedirectTo(policy, one!, [two!], schemes)).toBe(true)
    expect(mayRedirectTo(policy, one!, [one!], schemes)).toBe(false)
    expect(mayRedirectTo({ ...policy, allowedRoutes: new Set(['two']) }, one!, [], schemes)).toBe(false)
  })
})

describe('a virtual host', () => {
  it('names the virtual cluster of a request, the first that fits', () => {
    const virtual_clusters = [
      { name: 'gets', headers: [{ name: ':method', string_match: { exact: 'GET' } }] },
      { name: 'all', headers: [{ name: ':path', string_match: { prefix: '/' } }] },
    ]
    const { virtualHosts } = table({ routes: [route('r')], virtual_clusters })
    expect(virtualHosts[0]!.virtualClusterOf?.(head('/'))).toBe('gets')
    expect(virtualHosts[0]!.virtualClusterOf?.(head('/', {}, { method: 'PUT' }))).toBe('all')
  })

  it('limits what is kept for retries, as its routes may', () => {
    const own = { ...route('own'), per_request_buffer_limit_bytes: 5 }
    const { virtualHosts } = table({ routes: [own, route('other')], per_request_buffer_limit_bytes: 10 })
    expect(virtualHosts[0]).toMatchObject({ bufferLimitBytes: 10, routes: [{ bufferLimitBytes: 5 }, {}] })
  })

  it('is told of headers for the inside alone, lower case', () => {
    expect(table({ routes: [] }, { internal_only_headers: ['X-Inside'] }).internalOnlyHeaders).toEqual(['x-inside'])
  })
})
