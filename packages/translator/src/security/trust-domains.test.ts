import { expect, test } from 'vitest'
import { inTrustDomains, trustDomainMatcher, withAliases } from './trust-domains.js'

const DOMAINS = ['new', 'old-td', 'other-td']

test.each([
  ['new/ns/a/sa/b', ['new/ns/a/sa/b', 'old-td/ns/a/sa/b', 'other-td/ns/a/sa/b']],
  ['cluster.local/ns/a/sa/b', ['new/ns/a/sa/b', 'old-td/ns/a/sa/b', 'other-td/ns/a/sa/b']],
  // A suffix keeps what it matches, and is joined by what it does not.
  ['*-td/ns/a/sa/b', ['new/ns/a/sa/b', '*-td/ns/a/sa/b']],
  ['o*/ns/a/sa/b', ['new/ns/a/sa/b', 'old-td/ns/a/sa/b', 'other-td/ns/a/sa/b']],
  ['*/ns/a/sa/b', ['*/ns/a/sa/b']],
  ['stranger/ns/a/sa/b', ['stranger/ns/a/sa/b']],
  ['new/sa/b', ['new/sa/b']],
  ['*', ['*']],
])('principal %s', (principal, all) => {
  expect(inTrustDomains(principal, DOMAINS)).toEqual(all)
})

test('one of the mesh stands for all of them, others for themselves', () => {
  expect(withAliases(['old-td', 'stranger', 'new'], DOMAINS)).toEqual([...DOMAINS, 'stranger'])
})

test('a domain is a whole name, and `*` stays inside it', () => {
  expect(trustDomainMatcher('a.b')).toEqual({ prefix: 'spiffe://a.b/' })
  expect(trustDomainMatcher('a.*')).toEqual({ safe_regex: { regex: 'spiffe://a\\.[^/]*/.*' } })
})
