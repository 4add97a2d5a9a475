import type { AuthorizationRule } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { rulePolicy } from './rbac-rules.js'

const http = { effect: 'allow', tcp: false, tunnelled: false, namespace: 'shop', trustDomains: ['cluster.local'] } as const
const anyone = [{ and_ids: { ids: [{ any: true }] } }]
const anything = [{ and_rules: { rules: [{ any: true }] } }]
const who = (source: object): AuthorizationRule => ({ from: [{ source }] })
const what = (operation: object): AuthorizationRule => ({ to: [{ operation }] })

describe('sources', () => {
  test.each([
    [
      'a principal',
      { principals: ['cluster.local/ns/a/sa/b'] },
      { authenticated: { principal_name: { exact: 'spiffe://cluster.local/ns/a/sa/b' } } },
    ],
    [
      'a prefix',
      { principals: ['cluster.local/ns/a/*'] },
      { authenticated: { principal_name: { prefix: 'spiffe://cluster.local/ns/a/' } } },
    ],
    [
      'a suffix',
      { principals: ['*/sa/b'] },
      { authenticated: { principal_name: { safe_regex: { regex: 'spiffe://.*/sa/b' } } } },
    ],
    ['any principal', { principals: ['*'] }, { authenticated: { principal_name: { safe_regex: { regex: '.+' } } } }],
    ['a namespace', { namespaces: ['inn*'] }, { authenticated: { principal_name: { safe_regex: { regex: '.*/ns/inn.*/.*' } } } }],
    [
      'a namespace is no regular expression (CVE-2026-39350)',
      { namespaces: ['inn.a[0]'] },
      { authenticated: { principal_name: { safe_regex: { regex: '.*/ns/inn\\.a\\[0\\]/.*' } } } },
    ],
    [
      'a service account is no regular expression (istio#59992)',
      { serviceAccounts: ['a.b/c.d'] },
      { authenticated: { principal_name: { safe_regex: { regex: 'spiffe://.+/ns/a\\.b/(.+/|)sa/c\\.d(/.+)?' } } } },
    ],
    ['a peer address', { ipBlocks: ['10.0.0.0/8'] }, { direct_remote_ip: { address_prefix: '10.0.0.0', prefix_len: 8 } }],
    ['a client address', { remoteIpBlocks: ['2001:db8::1'] }, { remote_ip: { address_prefix: '2001:db8::1', prefix_len: 128 } }],
  ])('%s', (_, source, id) => {
    expect(rulePolicy(who(source), http)).toEqual({
      permissions: anything,
      principals: [{ and_ids: { ids: [{ or_ids: { ids: [id] } }] } }],
    })
  })
})

describe('operations', () => {
  test.each([
    ['a method', { methods: ['GET'] }, { header: { name: ':method', string_match: { exact: 'GET' } } }],
    ['a path prefix', { paths: ['/in*'] }, { url_path: { path: { prefix: '/in' } } }],
    [
      'a host, whatever its case',
      { hosts: ['*.shop.example'] },
      { header: { name: ':authority', string_match: { suffix: '.shop.example', ignore_case: true } } },
    ],
    ['a port', { ports: ['8080'] }, { destination_port: 8080 }],
  ])('%s', (_, operation, rule) => {
    expect(rulePolicy(what(operation), http)).toEqual({
      permissions: [{ and_rules: { rules: [{ or_rules: { rules: [rule] } }] } }],
      principals: anyone,
    })
  })
})

test('values and notValues of one field are both required', () => {
  expect(rulePolicy(what({ methods: ['*'], notMethods: ['DELETE'] }), http)?.permissions).toEqual([
    {
      and_rules: {
        rules: [
          { or_rules: { rules: [{ header: { name: ':method', present_match: true } }] } },
          { not_rule: { or_rules: { rules: [{ header: { name: ':method', string_match: { exact: 'DELETE' } } }] } } },
        ],
      },
    },
  ])
})

test('a condition on a header is a principal, one on a port a permission', () => {
  const rule = {
    when: [
      { key: 'request.headers[x-pass]', values: ['gold*'] },
      { key: 'destination.port', notValues: ['9000'] },
    ],
  }
  expect(rulePolicy(rule, http)).toEqual({
    permissions: [{ and_rules: { rules: [{ not_rule: { or_rules: { rules: [{ destination_port: 9000 }] } } }] } }],
    principals: [{ and_ids: { ids: [{ or_ids: { ids: [{ header: { name: 'x-pass', string_match: { prefix: 'gold' } } }] } }] } }],
  })
})

describe('what a filter cannot check fails closed', () => {
  const rule: AuthorizationRule = { to: [{ operation: { paths: ['/admin'], ports: ['7000'] } }] }
  test('an ALLOW rule with HTTP fields disappears on TCP', () => {
    expect(rulePolicy(rule, { ...http, tcp: true })).toBeUndefined()
  })
  test('a DENY rule loses the field and denies more', () => {
    expect(rulePolicy(rule, { ...http, tcp: true, effect: 'deny' })?.permissions).toEqual([
      { and_rules: { rules: [{ or_rules: { rules: [{ destination_port: 7000 }] } }] } },
    ])
  })
  test('a malformed address allows nobody', () => {
    expect(rulePolicy(who({ ipBlocks: ['10.0.0.300/40'] }), http)).toBeUndefined()
  })
})

test('principals of the mesh are known in each of its trust domains', () => {
  const policy = rulePolicy(who({ principals: ['cluster.local/ns/a/sa/b'] }), {
    ...http,
    trustDomains: ['new.example', 'old.example'],
  })
  expect(JSON.stringify(policy)).toContain('spiffe://new.example/ns/a/sa/b')
  expect(JSON.stringify(policy)).toContain('spiffe://old.example/ns/a/sa/b')
})

test('conditions know the account and the trust domain of a caller, as its source does', () => {
  const when: AuthorizationRule = {
    when: [
      { key: 'source.serviceAccount', values: ['tea'] },
      { key: 'source.trustDomain', notValues: ['far.example'] },
    ],
  }
  expect(rulePolicy(when, http)?.principals).toEqual(
    rulePolicy(who({ serviceAccounts: ['tea'], notTrustDomains: ['far.example'] }), http)?.principals,
  )
})
