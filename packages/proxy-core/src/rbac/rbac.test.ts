import type { RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { Matcher } from '@heddle/xds-types/xds/type/matcher/v3'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { normalizePath } from '../http/normalize.js'
import { head } from '../testing.js'
import { denialDetails } from './details.js'
import { compileRbac, type RbacEngine, type RbacVerdict } from './engine.js'
import { compileRbacMatcher } from './matcher.js'
import type { RbacQuestion } from './question.js'

function engine(json: object): RbacEngine {
  const result = compileMessage(json as RBAC, 'rules', compileRbac)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

function question(rest: Partial<RbacQuestion> = {}): RbacQuestion {
  return {
    head: head('/info'),
    directSource: '10.0.0.9',
    source: '10.0.0.9',
    destination: { address: '10.0.0.1', port: 8080 },
    serverName: '',
    authenticated: false,
    principals: [],
    metadata: new Map(),
    ...rest,
  }
}

const ANY = [{ any: true }]
const policy = (permissions: object[], principals: object[] = ANY): object => ({ policies: { p: { permissions, principals } } })
const denies = (permission: object, asked: RbacQuestion): boolean =>
  !engine({ action: 'DENY', ...policy([permission]) }).evaluate(asked).allowed
const admits = (principal: object, asked: RbacQuestion): boolean => engine(policy(ANY, [principal])).evaluate(asked).allowed

describe('actions', () => {
  it.each([
    ['ALLOW', true, true],
    ['ALLOW', false, false],
    ['DENY', true, false],
    ['DENY', false, true],
    ['LOG', true, true],
    ['LOG', false, true],
  ])('%s, matched %j: allowed %j', (action, matched, allowed) => {
    expect(engine({ action, ...policy([{ any: matched }]) }).evaluate(question()).allowed).toBe(allowed)
  })

  it('ALLOW without policies denies all, with the name none', () => {
    expect(engine({}).evaluate(question())).toEqual({ allowed: false })
    expect(denialDetails(undefined)).toBe('rbac_access_denied_matched_policy[none]')
    expect(denialDetails('ns[a]-policy[b c]-rule[0]')).toBe('rbac_access_denied_matched_policy[ns[a]-policy[b_c]-rule[0]]')
  })

  it('a policy needs one permission and one principal; none of either matches nothing', () => {
    expect(engine({ policies: { p: { permissions: ANY, principals: [] } } }).evaluate(question()).allowed).toBe(false)
    expect(engine({ policies: { p: { permissions: [], principals: ANY } } }).evaluate(question()).allowed).toBe(false)
  })

  it('the first policy by name is the one that is named', () => {
    const policies = { b: { permissions: ANY, principals: ANY }, a: { permissions: ANY, principals: ANY } }
    expect(engine({ policies }).evaluate(question()).policy).toBe('a')
  })
})

describe('permissions', () => {
  it.each([
    [{ destination_port: 8080 }, true],
    [{ destination_port: 80 }, false],
    [{ destination_port_range: { start: 8000, end: 8080 } }, false],
    [{ destination_port_range: { start: 8000, end: 8081 } }, true],
    [{ destination_ip: { address_prefix: '10.0.0.0', prefix_len: 8 } }, true],
    [{ header: { name: ':method', string_match: { exact: 'GET' } } }, true],
    [{ url_path: { path: { exact: '/info' } } }, true],
    [{ not_rule: { url_path: { path: { exact: '/info' } } } }, false],
    [{ and_rules: { rules: [{ any: true }, { destination_port: 1 }] } }, false],
    [{ or_rules: { rules: [{ destination_port: 1 }, { any: true }] } }, true],
    [{ requested_server_name: { exact: '' } }, true],
    [
      {
        uri_template: {
          name: 't',
          typed_config: {
            '@type': 'x/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
            path_template: '/{any}',
          },
        },
      },
      true,
    ],
  ])('%j: %j', (permission, matched) => {
    expect(denies(permission, question())).toBe(matched)
  })

  it.each([
    { matcher: {} },
    { uri_template: {} },
    { uri_template: { typed_config: { '@type': 'x/Y' } } },
    {},
    { header: { name: '' } },
  ])('%j is refused', (permission) => {
    expect(compileMessage(policy([permission]) as RBAC, '', compileRbac).ok).toBe(false)
  })

  it.each([
    ['condition', {}, 'policies["p"].condition'],
    ['condition', { comprehension_expr: { iter_var: 'x' } }, 'policies["p"].condition.comprehension_expr'],
    ['checked_condition', { expr: {} }, 'policies["p"].checked_condition'],
    ['cel_config', { enable_string_concat: true }, 'policies["p"].cel_config'],
  ])('%s %j is refused: leaving it out would widen a policy', (field, value, path) => {
    const json = { policies: { p: { permissions: ANY, principals: ANY, [field]: value } } }
    const { ok, diagnostics } = compileMessage(json as RBAC, '', compileRbac)
    expect([ok, diagnostics.map((each) => each.path)]).toEqual([false, expect.arrayContaining([path])])
  })
})

describe('conditions', () => {
  const name = (field: string, of?: object): object =>
    of === undefined ? { ident_expr: { name: field } } : { select_expr: { operand: of, field } }
  const text = (string_value: string): object => ({ const_expr: { string_value } })
  const call = (called: string, ...args: object[]): object => ({ call_expr: { function: called, args } })
  const path = name('path', name('request'))
  const under = (prefix: string): object => ({
    call_expr: { target: path, function: 'startsWith', args: [text(prefix)] },
  })
  const admitted = (condition: object, asked: RbacQuestion): boolean =>
    engine({ policies: { p: { permissions: ANY, principals: ANY, condition } } }).evaluate(asked).allowed

  it.each<[object, boolean]>([
    [under('/in'), true],
    [under('/out'), false],
    [call('!_', under('/out')), true],
    [call('_==_', name('method', name('request')), text('GET')), true],
    [call('_==_', call('_[_]', name('headers', name('request')), text('x-role')), text('admin')), true],
    [call('_==_', name('port', name('destination')), { const_expr: { int64_value: '8080' } }), true],
    [call('_==_', name('mtls', name('connection')), { const_expr: { bool_value: false } }), true],
    [call('_==_', call('_[_]', name('filter_metadata', name('metadata')), text('jwt')), text('x')), false],
    [call('@in', text('jwt'), name('filter_metadata', name('metadata'))), true],
    // There is no answer yet, and what cannot be told is not true, nor is its opposite.
    [call('_==_', name('code', name('response')), { const_expr: { int64_value: 0 } }), false],
    [call('!_', call('_==_', name('nobody'), text('x'))), false],
    [call('_||_', call('_==_', name('nobody'), text('x')), under('/in')), true],
  ])('%j: %j', (condition, holds) => {
    const asked = question({
      head: head('/info', { 'x-role': 'admin' }),
      metadata: new Map([['jwt', { iss: 'x' }]]),
    })
    expect(admitted(condition, asked)).toBe(holds)
  })

  it('ask a bare connection about its peer, and nothing about requests', () => {
    const uri = name('uri_san_peer_certificate', name('connection'))
    const ours = call('_==_', uri, text('spiffe://td/ns/a/sa/b'))
    const bare = question({ head: undefined, authenticated: true, principals: ['spiffe://td/ns/a/sa/b'] })
    expect([admitted(ours, bare), admitted(under('/'), bare), admitted(ours, question())]).toEqual([true, false, false])
  })

  it('are told where they were what was missing', () => {
    const rules = engine({ policies: { p: { permissions: ANY, principals: ANY, condition: under('/out') } } })
    expect(rules.explain(question()).reason).toBe(
      'no ALLOW policy matched; nearest is p: condition is not true, wanted request.path.startsWith("/out")',
    )
  })
})

describe('principals', () => {
  const SPIFFE = 'spiffe://cluster.local/ns/nolen/sa/caller'
  const caller = question({ authenticated: true, principals: [SPIFFE] })
  it.each([
    [{ authenticated: {} }, true],
    [{ authenticated: { principal_name: { exact: SPIFFE } } }, true],
    [{ authenticated: { principal_name: { suffix: '/sa/other' } } }, false],
    [{ direct_remote_ip: { address_prefix: '10.0.0.9', prefix_len: 32 } }, true],
    [{ remote_ip: { address_prefix: '10.0.0.0', prefix_len: 32 } }, false],
    [{ source_ip: { address_prefix: '10.0.0.9', prefix_len: 32 } }, true],
    [{ not_id: { authenticated: {} } }, false],
    [{ and_ids: { ids: [{ any: true }, { authenticated: {} }] } }, true],
    [{ or_ids: { ids: [] } }, false],
  ])('%j: %j', (principal, matched) => {
    expect(admits(principal, caller)).toBe(matched)
  })

  it('a name in a certificate that was not verified counts for nothing', () => {
    const impostor = question({ authenticated: false, principals: [SPIFFE] })
    expect(admits({ authenticated: { principal_name: { exact: SPIFFE } } }, impostor)).toBe(false)
  })
})

describe('past mistakes', () => {
  it('CVE-2020-25017, CVE-2021-32777, CVE-2026-26308: a header sent twice is asked value by value', () => {
    const bad = { header: { name: 'x-bad', string_match: { exact: 'no' } } }
    expect(denies(bad, question({ head: head('/', { 'x-bad': ['no', 'yes'] }) }))).toBe(true)
    expect(denies(bad, question({ head: head('/', { 'x-bad': ['yes', 'no'] }) }))).toBe(true)
  })

  it('CVE-2020-8595, CVE-2021-39156: query and fragment are no part of the path', () => {
    const admin = { url_path: { path: { exact: '/admin' } } }
    for (const path of ['/admin', '/admin?x=1', '/admin#x', '/admin?#', '/admin#?x'])
      expect(denies(admin, question({ head: head(path) }))).toBe(true)
  })

  it('CVE-2020-16844: a wildcard principal of a DENY matches by its end', () => {
    const regex = { authenticated: { principal_name: { safe_regex: { regex: '.*/ns/ns1/sa/foo' } } } }
    const deny = engine({ action: 'DENY', ...policy(ANY, [regex]) })
    const of = (principal: string): boolean => deny.evaluate(question({ authenticated: true, principals: [principal] })).allowed
    expect(of('spiffe://td/ns/ns1/sa/foo')).toBe(false)
    expect(of('spiffe://td/ns/ns1/sa/foo2')).toBe(true)
  })

  it('CVE-2026-26205: a path that begins with two slashes is a path, and names no host', () => {
    const admin = { url_path: { path: { prefix: '/admin' } } }
    expect(denies(admin, question({ head: head('//admin/x') }))).toBe(false)
    expect(denies({ url_path: { path: { prefix: '//admin/x' } } }, question({ head: head('//admin/x') }))).toBe(true)
    const normal = normalizePath('//admin/x', { normalizePath: true, mergeSlashes: true, escapedSlashes: 'KEEP_UNCHANGED' })
    expect(normal.kind === 'path' && denies(admin, question({ head: head(normal.path) }))).toBe(true)
  })

  it('CVE-2026-39350: exact names are taken as text, not as patterns', () => {
    expect(
      admits(
        { authenticated: { principal_name: { exact: 'spiffe://td/ns/a.b/sa/x' } } },
        question({ authenticated: true, principals: ['spiffe://td/ns/aXb/sa/x'] }),
      ),
    ).toBe(false)
  })

  it('a rule about requests matches no bare connection', () => {
    const bare = { ...question(), head: undefined }
    for (const permission of [
      { url_path: { path: { prefix: '/' } } },
      { header: { name: 'x', present_match: true } },
      { header: { name: 'x', present_match: false } },
    ]) {
      expect(denies(permission, bare)).toBe(false)
    }
  })
})

describe('explain', () => {
  it('names the policy that came nearest, and what it missed', () => {
    const allow = engine({
      policies: {
        'ns[nolen]-policy[info]-rule[0]': {
          permissions: [
            {
              and_rules: {
                rules: [
                  { header: { name: ':method', string_match: { exact: 'GET' } } },
                  { url_path: { path: { exact: '/info' } } },
                ],
              },
            },
          ],
          principals: [{ authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/nolen/sa/client' } } }],
        },
        'ns[nolen]-policy[other]-rule[0]': { permissions: [{ destination_port: 1 }], principals: [{ authenticated: {} }] },
      },
    })
    const asked = question({ authenticated: true, principals: ['spiffe://cluster.local/ns/nolen/sa/thief'] })
    expect(allow.explain(asked).reason).toBe(
      'no ALLOW policy matched; nearest is ns[nolen]-policy[info]-rule[0]: principal is "spiffe://cluster.local/ns/nolen/sa/thief", wanted exact "spiffe://cluster.local/ns/nolen/sa/client"',
    )
    expect(engine({}).explain(asked).reason).toBe('there is no ALLOW policy that could match')
  })
})

describe('a tree of matchers', () => {
  const action = (name: string, kind?: string): object => ({
    action: {
      name,
      typed_config: { '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action', name, ...(kind && { action: kind }) },
    },
  })
  const header = { '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput', header_name: 'X-Role' }
  const map = { admin: action('ok'), guest: action('no', 'DENY'), seen: action('log', 'LOG') }
  const json = { matcher_tree: { input: { name: 'role', typed_config: header }, exact_match_map: { map } } }
  const compiled = compileMessage(json as Matcher, 'matcher', compileRbacMatcher)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const judged = (role: string): RbacVerdict => compiled.value.evaluate(question({ head: head('/', { 'x-role': [role] }) }))

  it('the action that it comes to decides; none lets nobody in', () => {
    expect(judged('admin')).toEqual({ allowed: true, policy: 'ok' })
    expect(judged('guest')).toEqual({ allowed: false, policy: 'no' })
    expect(judged('seen')).toEqual({ allowed: true, policy: 'log', logged: true })
    expect(judged('other')).toEqual({ allowed: false })
    expect(compiled.value.explain(question({ head: head('/') })).reason).toBe('no action of the matcher is reached')
  })

  it('an input that is not there is a NACK that names it', () => {
    const unknown = { matcher_tree: { input: { typed_config: { '@type': 'x/y.Z' } }, exact_match_map: { map } } }
    const { ok, diagnostics } = compileMessage(unknown as unknown as Matcher, 'matcher', compileRbacMatcher)
    expect([ok, diagnostics[0]?.message]).toEqual([false, 'y.Z is not supported as an input here.'])
  })
})
