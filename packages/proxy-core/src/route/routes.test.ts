import { createSeededRandom } from '@heddle/runtime/testing'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRouteConfiguration } from '../config/route-configuration.js'
import { emptyBody } from '../http/body.js'
import { createHeaderMap } from '../http/header-map.js'
import type { HttpRequest } from '../http/message.js'
import type { StreamInfo } from '../http/stream-info.js'
import { head, testDeps } from '../testing.js'
import { finalizeRequest } from './finalize.js'
import type { RouteTable } from './table.js'

const random = createSeededRandom(1)

function table(json: RouteConfiguration): RouteTable {
  const result = compileRouteConfiguration(json, testDeps(), '')
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

type Routes = NonNullable<NonNullable<RouteConfiguration['virtual_hosts']>[number]['routes']>
const oneHost = (routes: Routes, rest: object = {}): RouteTable =>
  table({ virtual_hosts: [{ name: 'v', domains: ['*'], routes, ...rest }] })

function clusterOf(routes: RouteTable, request: Parameters<RouteTable['resolve']>[0]): string {
  const decision = routes.resolve(request, random)
  return decision.kind === 'forward' ? decision.target.cluster : decision.kind
}

describe('virtual hosts', () => {
  const domains = ['a.example', '*.example', '*.long.example', 'api.*', 'api.v1.*', '*']
  const routes = table({ virtual_hosts: domains.map((domain) => ({ name: domain, domains: [domain] })) })
  it.each([
    ['a.example', 'a.example'],
    ['A.Example', 'a.example'],
    ['b.example', '*.example'],
    ['x.long.example', '*.long.example'],
    ['.example', '*'],
    ['a.example:80', '*'],
    ['a.example.', '*'],
    ['api.x', 'api.*'],
    ['api.v1.x', 'api.v1.*'],
    ['api.x.example', '*.example'],
    ['', '*'],
  ])('%j goes to %s (CVE-2021-39155)', (authority, want) => {
    expect(routes.virtualHostOf(authority)?.name).toBe(want)
  })

  it('may look past the port', () => {
    const relaxed = table({ ignore_port_in_host_matching: true, virtual_hosts: [{ name: 'v', domains: ['a.example', '[::1]'] }] })
    expect(relaxed.virtualHostOf('a.example:8080')?.name).toBe('v')
    expect(relaxed.virtualHostOf('[::1]:8080')?.name).toBe('v')
    expect(relaxed.virtualHostOf('a.example:abc')?.name).toBe('v')
    expect(relaxed.virtualHostOf('b.example:abc')).toBeUndefined()
  })

  it('refuses a domain that two claim', () => {
    const json = {
      virtual_hosts: [
        { name: 'a', domains: ['X.y'] },
        { name: 'b', domains: ['x.Y'] },
      ],
    }
    expect(compileRouteConfiguration(json, testDeps(), '')).toMatchObject({ ok: false, diagnostics: [{ path: 'virtual_hosts' }] })
  })

  it('tells why the others lost', () => {
    expect(routes.explainVirtualHosts('a.example').map(({ virtualHost, reason }) => `${virtualHost.name}: ${reason}`)).toContain(
      "*.example: its domain *.example is less specific than the winner's",
    )
  })
})

describe('matches', () => {
  const to = (match: Routes[number]['match']): RouteTable => oneHost([{ match, route: { cluster: 'yes' } }])
  it.each([
    [{ prefix: '/api' }, '/apis', true],
    [{ prefix: '/api' }, '/API', false],
    [{ prefix: '/api', case_sensitive: false }, '/API/x', true],
    [{ path: '/a' }, '/a?q=1', true],
    [{ path: '/a' }, '/a/', false],
    [{ path_separated_prefix: '/api' }, '/api', true],
    [{ path_separated_prefix: '/api' }, '/api/x', true],
    [{ path_separated_prefix: '/api' }, '/apis', false],
    [{ safe_regex: { regex: '/\\d+' } }, '/12?x', true],
    [{ safe_regex: { regex: '/\\d+' } }, '/12/3', false],
    [{ path: '/user/profile' }, '/user/profile#x', true],
    [{ prefix: '/', query_parameters: [{ name: 'k', string_match: { exact: 'v' } }] }, '/?k=v', true],
    [{ prefix: '/', grpc: {} }, '/', false],
    [{ connect_matcher: {} }, '/', false],
  ] as const)('%j on %s is %j (CVE-2021-39156)', (match, path, want) => {
    expect(clusterOf(to(match), head(path)) === 'yes').toBe(want)
  })

  it('the first that fits wins, and the rest say why not', () => {
    const routes = oneHost([
      {
        name: 'nolen',
        match: { prefix: '/', headers: [{ name: 'username', string_match: { exact: 'nolen' } }] },
        route: { cluster: 'v1' },
      },
      { name: 'rest', match: { prefix: '/' }, route: { cluster: 'v2' } },
    ])
    expect(clusterOf(routes, head('/', { username: 'nolen' }))).toBe('v1')
    expect(clusterOf(routes, head('/'))).toBe('v2')
    expect(clusterOf(routes, head('/', { username: 'nolen2' }))).toBe('v2')
    const lost = routes.virtualHosts[0]!.routes[0]!.explainMatch(head('/', { username: 'nolen2' }), random)
    expect(lost).toEqual({ matched: false, reason: 'header username is "nolen2", wanted exact "nolen"' })
  })

  it('explainMatch says what matches says', () => {
    const text = fc.constantFrom('/', '/a', '/a/b', '/A', '/a?k=v', '/a?k', '/b#x')
    const path = fc.oneof(
      fc.record({ prefix: text, case_sensitive: fc.boolean() }),
      fc.record({ path: text }),
      fc.record({ safe_regex: fc.record({ regex: fc.constantFrom('/a.*', '/[ab]', '.*b') }) }),
      fc.constant({ path_separated_prefix: '/a' }),
    )
    const header = fc.record({
      name: fc.constantFrom('x', 'y'),
      string_match: fc.record({ exact: fc.constantFrom('1', '2') }),
      invert_match: fc.boolean(),
    })
    const extra = fc.record({
      headers: fc.array(header, { maxLength: 2 }),
      query_parameters: fc.array(fc.constant({ name: 'k', present_match: true }), { maxLength: 1 }),
    })
    const values = fc.array(fc.constantFrom('1', '2'), { maxLength: 2 })
    fc.assert(
      fc.property(path, extra, text, values, values, (kind, rest, requested, x, y) => {
        const route = oneHost([{ match: { ...kind, ...rest }, route: { cluster: 'c' } }]).virtualHosts[0]!.routes[0]!
        const request = head(requested, { x, y })
        return route.matches(request, random) === route.explainMatch(request, random).matched
      }),
      { seed: 7, numRuns: 500 },
    )
  }, 30_000)
})

describe('targets', () => {
  it('weights 90/10 within 1 % over 10,000', () => {
    const clusters = [
      { name: 'v1', weight: 90 },
      { name: 'v2', weight: 10 },
    ]
    const routes = oneHost([{ match: { prefix: '/' }, route: { weighted_clusters: { clusters } } }])
    let first = 0
    for (let i = 0; i < 10_000; i++) if (clusterOf(routes, head('/')) === 'v1') first++
    expect(Math.abs(first / 10_000 - 0.9)).toBeLessThan(0.01)
  })

  it('chooses by the hash of the request where use_hash_policy says so', () => {
    const clusters = [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 1 },
    ]
    const hash_policy = [{ header: { header_name: 'x-user' } }]
    const route = { weighted_clusters: { clusters, use_hash_policy: true }, hash_policy }
    const routes = oneHost([{ match: { prefix: '/' }, route }])
    const chosen = (user: string): unknown => clusterOf(routes, head('/', { 'x-user': user }))
    const users = Array.from({ length: 40 }, (_, i) => `user-${i}`)
    expect(users.map(chosen)).toEqual(users.map(chosen))
    expect(new Set(users.map(chosen))).toEqual(new Set(['a', 'b']))
  })

  it('a weight of 0 gets nothing, a header with a number chooses modulo the total', () => {
    const clusters = [
      { name: 'a', weight: 0 },
      { name: 'b', weight: 3 },
      { name: 'c', weight: 7 },
    ]
    const routes = oneHost([{ match: { prefix: '/' }, route: { weighted_clusters: { clusters, header_name: 'X-Place' } } }])
    expect(['0', '2', '3', '12', '13'].map((place) => clusterOf(routes, head('/', { 'x-place': place })))).toEqual([
      'b',
      'b',
      'c',
      'b',
      'c',
    ])
  })

  it('cluster_header takes the first value and nothing when absent', () => {
    const routes = oneHost([{ match: { prefix: '/' }, route: { cluster_header: 'X-To' } }])
    expect(clusterOf(routes, head('/', { 'x-to': ['a', 'b'] }))).toBe('a')
    expect(clusterOf(routes, head('/'))).toBe('')
  })

  it.each([
    [':authority', 'h'],
    ['Host', 'h'],
    [':path', '/p'],
    [':method', 'GET'],
  ])('cluster_header may be %s, of weighted clusters and mirrors too', (cluster_header, want) => {
    const request = head('/p', {}, { authority: 'h' })
    const weighted = { weighted_clusters: { clusters: [{ cluster_header, weight: 1 }] } }
    for (const route of [{ cluster_header }, weighted])
      expect(clusterOf(oneHost([{ match: { prefix: '/' }, route }]), request)).toBe(want)
    const mirrored = { cluster: 'c', request_mirror_policies: [{ cluster_header }] }
    const { action } = oneHost([{ match: { prefix: '/' }, route: mirrored }]).virtualHosts[0]!.routes[0]!
    expect(action.kind === 'forward' && action.mirrors[0]!.cluster(request)).toBe(want)
  })

  it('has Envoy’s defaults: 15 s, one retry 25 ms apart, 0 is no timeout', () => {
    const action = oneHost([
      { match: { prefix: '/' }, route: { cluster: 'c', retry_policy: { retry_on: '5xx, connect-failure' } } },
    ]).virtualHosts[0]!.routes[0]!.action
    expect(action).toMatchObject({
      timeoutMs: 15_000,
      retry: { numRetries: 1, backoffBaseMs: 25, backoffMaxMs: 250, perTryTimeoutMs: 0 },
    })
    expect(action.kind === 'forward' && [...(action.retry?.on ?? [])]).toEqual(['5xx', 'connect-failure'])
    expect(
      oneHost([{ match: { prefix: '/' }, route: { cluster: 'c', timeout: '0s' } }]).virtualHosts[0]!.routes[0]!.action,
    ).toMatchObject({ timeoutMs: 0 })
  })
})

describe('replies', () => {
  const redirected = (redirect: object, request = head('/from?q=1')): string | undefined => {
    const decision = oneHost([{ match: { prefix: '/from' }, redirect }]).resolve(request, random)
    return decision.kind === 'reply' ? decision.reply.headers?.find(([name]) => name === 'location')?.[1] : undefined
  }
  it.each([
    [{ path_redirect: '/to' }, 'http://example.com/to?q=1'],
    [{ path_redirect: '/to?own' }, 'http://example.com/to?own'],
    [{ path_redirect: '/to', strip_query: true }, 'http://example.com/to'],
    [{ prefix_rewrite: '/x' }, 'http://example.com/x?q=1'],
    [{ https_redirect: true }, 'https://example.com/from?q=1'],
    [{ scheme_redirect: 'FTP' }, 'FTP://example.com/from?q=1'],
    [{ host_redirect: 'other', port_redirect: 443, https_redirect: true }, 'https://other:443/from?q=1'],
    [{ regex_rewrite: { pattern: { regex: 'fr(.)m' }, substitution: '\\1' } }, 'http://example.com/o?q=1'],
    [{ path_redirect: 'relative' }, 'http://example.com/relative?q=1'],
    [{ regex_rewrite: { pattern: { regex: '^/' }, substitution: '' } }, 'http://example.com/from?q=1'],
    [{ regex_rewrite: { pattern: { regex: '.*' }, substitution: '' } }, 'http://example.com/from?q=1'],
    [{ prefix_rewrite: '', host_redirect: 'other' }, 'http://other/from?q=1'],
  ])('%j leads to %s', (redirect, location) => {
    expect(redirected(redirect)).toBe(location)
  })

  it('drops the default port when the scheme changes, keeps any other', () => {
    expect(redirected({ https_redirect: true }, head('/from', {}, { authority: 'h:80' }))).toBe('https://h/from')
    expect(redirected({ https_redirect: true }, head('/from', {}, { authority: 'h:8080' }))).toBe('https://h:8080/from')
  })

  it('answers directly, up to the size allowed', () => {
    const decision = oneHost([
      { match: { prefix: '/' }, direct_response: { status: 418, body: { inline_string: 'tea' } } },
    ]).resolve(head('/'), random)
    expect(decision).toMatchObject({ kind: 'reply', reply: { status: 418, body: 'tea', details: 'direct_response' } })
    const big = { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'x'.repeat(4097) } } }
    expect(compileRouteConfiguration({ virtual_hosts: [{ name: 'v', domains: ['*'], routes: [big] }] }, testDeps(), '').ok).toBe(
      false,
    )
  })

  it('says where one is with 201 and 3xx', () => {
    const location = (status: number): unknown => {
      const decision = oneHost([{ match: { prefix: '/' }, direct_response: { status } }]).resolve(head('/a?b'), random)
      return decision.kind === 'reply' && decision.reply.headers
    }
    expect([location(201), location(304), location(200)]).toEqual([
      [['location', 'http://example.com/a?b']],
      [['location', 'http://example.com/a?b']],
      undefined,
    ])
  })

  it('answers with a format, made when the story of the request is known', () => {
    const direct_response = {
      status: 200,
      body_format: { json_format: { route: '%ROUTE_NAME%', code: '%RESPONSE_CODE%' }, content_type: 'application/problem+json' },
    }
    const decision = oneHost([{ match: { prefix: '/' }, direct_response }]).resolve(head('/'), random)
    if (decision.kind !== 'reply') throw new Error('no reply')
    expect(decision.reply.headers).toEqual([['content-type', 'application/problem+json']])
    const info = { routeName: 'r', status: 200 } as StreamInfo
    expect(decision.reply.format?.({ info })).toBe('{"code":200,"route":"r"}\n')
  })

  it('require_tls sends plain requests to https', () => {
    const routes = oneHost([{ match: { prefix: '/' }, route: { cluster: 'c' } }], { require_tls: 'ALL' })
    expect(routes.resolve(head('/a'), random)).toMatchObject({ kind: 'reply', reply: { status: 301 } })
    expect(clusterOf(routes, head('/a', { 'x-forwarded-proto': 'https' }))).toBe('c')
    const reply = routes.resolve(head('/a?b', {}, { authority: 'h:80' }), random)
    expect(reply).toMatchObject({ reply: { headers: [['location', 'https://h:80/a?b']] } })
  })

  it('leaves a CONNECT without a path to connect_matcher', () => {
    const connect = { match: { connect_matcher: {} }, route: { cluster: 'tunnel' } }
    const routes = oneHost([{ match: { prefix: '' }, route: { cluster: 'c' } }, connect])
    expect(clusterOf(routes, head('', {}, { method: 'CONNECT' }))).toBe('tunnel')
  })
})

describe('rewrites', () => {
  const TEMPLATE = {
    path_match_policy: {
      name: 't',
      typed_config: {
        '@type': 'x/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
        path_template: '/{a}/{b}',
      },
    },
  }
  const rewritten = (match: object, route: object, path: string, headers: Record<string, string> = {}): HttpRequest => {
    const routes = oneHost([{ match, route: { cluster: 'c', ...route } }])
    const request: HttpRequest = {
      ...head(path, headers),
      headers: createHeaderMap(Object.entries(headers)),
      protocol: 'HTTP/1.1',
      body: emptyBody,
    }
    finalizeRequest(routes.resolve(request, random), routes, request, { info: {} as never, requestHeaders: request.headers })
    return request
  }
  it.each([
    [{ prefix: '/noslash' }, { prefix_rewrite: '/' }, '/noslash/x', '//x'],
    [{ prefix: '/a' }, { prefix_rewrite: '/b' }, '/a/x?q=/a', '/b/x?q=/a'],
    [{ path: '/a' }, { prefix_rewrite: '/b' }, '/a?q', '/b?q'],
    [{ path_separated_prefix: '/a' }, { prefix_rewrite: '/b' }, '/a/x', '/b/x'],
    [{ safe_regex: { regex: '/a.*' } }, { prefix_rewrite: '/b' }, '/a/x?q', '/b?q'],
    [{ prefix: '/' }, { regex_rewrite: { pattern: { regex: 'a' }, substitution: 'b' } }, '/a/a?a', '/b/b?a'],
    [{ prefix: '/' }, { regex_rewrite: { pattern: { regex: '^/' }, substitution: '' } }, '/x', 'x'],
    [
      TEMPLATE,
      {
        path_rewrite_policy: {
          name: 't',
          typed_config: {
            '@type': 'x/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig',
            path_template_rewrite: '/{b}/{a}',
          },
        },
      },
      '/1/2?q',
      '/2/1?q',
    ],
    [{ prefix: '/' }, { path_rewrite: '/f' }, '/x?q', '/f?q'],
    // RE2's GlobalReplace: nothing is found where the last match ended.
    [{ prefix: '/' }, { regex_rewrite: { pattern: { regex: 'o*' }, substitution: '-' } }, '/foo', '-/-f-'],
  ])('%j with %j turns %s into %s', (match, route, path, want) => {
    const request = rewritten(match, route, path)
    expect([request.path, request.headers.get('x-envoy-original-path')]).toEqual([want, path])
  })

  it('rewrites the host and keeps the old one', () => {
    const request = rewritten({ prefix: '/' }, { host_rewrite_literal: 'new', append_x_forwarded_host: true }, '/')
    expect(request.authority).toBe('new')
    expect(request.headers.get('x-envoy-original-host')).toBe('example.com')
    expect(request.headers.get('x-forwarded-host')).toBe('example.com')
    expect(rewritten({ prefix: '/' }, { host_rewrite_header: 'X-H' }, '/', { 'x-h': 'h' }).authority).toBe('h')
    expect(rewritten({ prefix: '/' }, { host_rewrite_header: 'X-H' }, '/', { 'x-h': '' }).authority).toBe('example.com')
  })

  it('does not believe a client that says what its path and host were', () => {
    const claims = { 'x-envoy-original-path': '/claimed', 'x-envoy-original-host': 'claimed' }
    const { headers } = rewritten({ prefix: '/' }, { host_rewrite_literal: 'new', prefix_rewrite: '/new' }, '/', claims)
    expect([headers.getAll('x-envoy-original-path'), headers.getAll('x-envoy-original-host')]).toEqual([['/'], ['example.com']])
  })

  it('leaves the path alone where the format gives nothing', () => {
    const request = rewritten({ prefix: '/' }, { path_rewrite: '%REQ(absent)%' }, '/x?q')
    expect([request.path, request.headers.has('x-envoy-original-path')]).toEqual(['/x?q', false])
  })

  it('says a host once where it came twice in a row', () => {
    const route = { host_rewrite_literal: 'new', append_x_forwarded_host: true }
    const { headers } = rewritten({ prefix: '/' }, route, '/', { 'x-forwarded-host': 'first,example.com' })
    expect(headers.getAll('x-forwarded-host')).toEqual(['first,example.com'])
  })

  it('lets the route have the last word over the host of a weighted cluster', () => {
    const weighted_clusters = { clusters: [{ name: 'c', weight: 1, host_rewrite_literal: 'weighted' }] }
    const own = rewritten({ prefix: '/' }, { cluster: undefined, weighted_clusters }, '/')
    expect([own.authority, own.headers.has('x-envoy-original-host')]).toEqual(['weighted', false])
    const both = rewritten({ prefix: '/' }, { cluster: undefined, weighted_clusters, host_rewrite_literal: 'outer' }, '/')
    expect([both.authority, both.headers.get('x-envoy-original-host')]).toEqual(['outer', 'weighted'])
  })
})

describe('header mutation', () => {
  const option = (key: string, value: string, append_action?: string): object => ({
    header: { key, value },
    ...(append_action && { append_action }),
  })
  it.each([
    [false, 'route'],
    [true, 'config'],
  ])('most specific wins %j: levels in order, the last overwrite stays', (most_specific_header_mutations_wins, _) => {
    const at = (name: string): object => ({
      request_headers_to_add: [option('x-all', name), option('x-last', name, 'OVERWRITE_IF_EXISTS_OR_ADD')],
    })
    const routes = table({
      most_specific_header_mutations_wins,
      ...at('config'),
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          ...at('vhost'),
          routes: [
            {
              match: { prefix: '/' },
              ...at('route'),
              route: { weighted_clusters: { clusters: [{ name: 'c', weight: 1, ...at('cluster') }] } },
            },
          ],
        },
      ],
    })
    const request: HttpRequest = { ...head('/'), protocol: 'HTTP/1.1', body: emptyBody }
    finalizeRequest(routes.resolve(request, random), routes, request, { info: {} as never, requestHeaders: request.headers })
    const order = most_specific_header_mutations_wins
      ? ['cluster', 'config', 'vhost', 'route']
      : ['cluster', 'route', 'vhost', 'config']
    expect(request.headers.getAll('x-all')).toEqual(order)
    expect(request.headers.get('x-last')).toBe(order.at(-1))
  })

  it.each(['host', ':path', ':authority'])('%s cannot be set or removed', (name) => {
    const withAdd = { request_headers_to_add: [option(name, 'x')], virtual_hosts: [] }
    const withRemove = { request_headers_to_remove: [name], virtual_hosts: [] }
    expect(compileRouteConfiguration(withAdd as RouteConfiguration, testDeps(), '').ok).toBe(false)
    expect(compileRouteConfiguration(withRemove, testDeps(), '').ok).toBe(false)
  })
})

describe('hash policies', () => {
  const hashOf = (
    hash_policy: object[],
    request = head('/', { 'x-user': 'u', cookie: 'a=1; id="42"' }),
    source = '10.0.0.1',
  ): bigint | undefined => {
    const action = oneHost([{ match: { prefix: '/' }, route: { cluster: 'c', hash_policy } }] as Routes).virtualHosts[0]!
      .routes[0]!.action
    return action.kind === 'forward' ? action.hash(request, source) : undefined
  }
  it('combines, and stops at a terminal policy that found something', () => {
    const user = { header: { header_name: 'X-User' } }
    const ip = { connection_properties: { source_ip: true } }
    expect(hashOf([user])).not.toBe(hashOf([user, ip]))
    expect(hashOf([{ ...user, terminal: true }, ip])).toBe(hashOf([user]))
    expect(hashOf([{ header: { header_name: 'none' }, terminal: true }, ip])).toBe(hashOf([ip]))
    expect(hashOf([{ cookie: { name: 'id' } }])).toBe(testDeps().hash64('42'))
    expect(hashOf([{ cookie: { name: 'none' } }])).toBeUndefined()
  })

  const attributes = [{ name: 'Secure', value: '' }, { name: 'Partitioned' }, { name: 'Domain', value: 'd' }]
  it.each([
    [{ ttl: '60s', path: '/p' }, 'Max-Age=60; Path=/p; HttpOnly'],
    [{ ttl: '1.9s' }, 'Max-Age=1; HttpOnly'],
    [{ ttl: '0s', attributes }, 'Secure; Partitioned; Domain=d; HttpOnly'],
  ])('makes a cookie where none came and a ttl is given: %j', (cookie, want) => {
    const action = oneHost([
      { match: { prefix: '/' }, route: { cluster: 'c', hash_policy: [{ cookie: { name: 's', ...cookie } }] } },
    ]).virtualHosts[0]!.routes[0]!.action
    const cookies: string[] = []
    const hash = action.kind === 'forward' ? action.hash(head('/'), '10.0.0.1', (cookie) => cookies.push(cookie)) : undefined
    expect(cookies[0]?.replace(/"[0-9a-f]{16}"/, '"…"')).toBe(`s="…"; ${want}`)
    expect(hash).toBe(testDeps().hash64(/"(.*)"/.exec(cookies[0]!)![1]!))
  })
})

describe('what is not supported', () => {
  it.each([
    [{ match: { prefix: '/', filter_state: [{}] }, route: { cluster: 'c' } }, 'match.filter_state'],
    [{ match: { prefix: '/' }, route: { cluster: 'c', hedge_policy: {} } }, 'route.hedge_policy'],
    [{ match: { prefix: '/' }, route: { cluster: 'c', priority: 'URGENT' } }, 'route.priority'],
    [{ match: { prefix: '/' }, non_forwarding_action: {} }, 'non_forwarding_action'],
    [{ match: {}, route: { cluster: 'c' } }, 'match'],
    [{ match: { prefix: '/' } }, ''],
  ])('%j is refused at its path', (route, path) => {
    const result = compileRouteConfiguration(
      { name: 'r', virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route] }] } as RouteConfiguration,
      testDeps(),
      'r',
    )
    expect(result.ok).toBe(false)
    expect(result.diagnostics.map((diagnostic) => diagnostic.path)).toContain(
      `r.virtual_hosts[0].routes[0]${path === '' ? '' : `.${path}`}`,
    )
  })
})
