import type { RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { head } from '../testing.js'
import { denialDetails } from './details.js'
import { compileRbac, type RbacEngine } from './engine.js'
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

  it('a CEL condition is refused: leaving it out would widen a policy', () => {
    const json = { policies: { p: { permissions: ANY, principals: ANY, condition: {} } } }
    expect(compileMessage(json as RBAC, '', compileRbac)).toMatchObject({
      ok: false,
      diagnostics: [{ path: 'policies["p"].condition' }],
    })
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
  it('CVE-2020-25017, CVE-2021-32777: a header sent twice is asked value by value', () => {
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

// A second evaluator, straight from the proto's words, on random policies.
type Tree = {
  any?: boolean
  destination_port?: number
  url_path?: { path: { prefix: string } }
  header?: { name: string; string_match: { exact: string } }
  not_rule?: Tree
  and_rules?: { rules: Tree[] }
  or_rules?: { rules: Tree[] }
}

function reference(tree: Tree, { head: request, destination }: RbacQuestion): boolean {
  if (tree.any !== undefined) return tree.any
  if (tree.destination_port !== undefined) return destination.port === tree.destination_port
  if (tree.url_path !== undefined) return request!.path.split('?')[0]!.startsWith(tree.url_path.path.prefix)
  if (tree.header !== undefined) return request!.headers.getAll(tree.header.name).includes(tree.header.string_match.exact)
  const asked = question({ head: request!, destination })
  if (tree.not_rule !== undefined) return !reference(tree.not_rule, asked)
  if (tree.and_rules !== undefined) return tree.and_rules.rules.every((rule) => reference(rule, asked))
  return tree.or_rules!.rules.some((rule) => reference(rule, asked))
}

describe('random policies', () => {
  const { tree } = fc.letrec<{ tree: Tree; list: Tree[] }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.record({ any: fc.boolean() }),
      fc.record({ destination_port: fc.constantFrom(80, 8080) }),
      fc.record({ url_path: fc.record({ path: fc.record({ prefix: fc.constantFrom('/', '/a', '/b') }) }) }),
      fc.record({ header: fc.record({ name: fc.constant('x'), string_match: fc.record({ exact: fc.constantFrom('1', '2') }) }) }),
      fc.record({ not_rule: tie('tree') }),
      fc.record({ and_rules: fc.record({ rules: tie('list') }) }),
      fc.record({ or_rules: fc.record({ rules: tie('list') }) }),
    ),
    list: fc.array(tie('tree'), { maxLength: 3 }),
  }))
  const asked = fc.record({
    path: fc.constantFrom('/', '/a', '/b?x', '/ab'),
    values: fc.array(fc.constantFrom('1', '2'), { maxLength: 2 }),
    port: fc.constantFrom(80, 443, 8080),
  })

  it('are judged as a plain reading of them judges, and explain agrees', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('ALLOW', 'DENY'), asked, (rule, action, { path, values, port }) => {
        const request = question({ head: head(path, { x: values }), destination: { address: '10.0.0.1', port } })
        const rbac = engine({ action, ...policy([rule]) })
        const allowed = (action === 'ALLOW') === reference(rule, request)
        return rbac.evaluate(request).allowed === allowed && rbac.explain(request).allowed === allowed
      }),
      { seed: 11, numRuns: 3000 },
    )
  }, 30_000)
})
