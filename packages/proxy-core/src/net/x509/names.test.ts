import { describe, expect, it } from 'vitest'
import { DerError } from './der.js'
import type { GeneralName } from './general-names.js'
import { dnsNameProblem, hostNameFits } from './host-names.js'
import { constraintProblem, type NameConstraints, readNameConstraints } from './name-constraints.js'
import { readSubjectAltNames } from './peer-certificate.js'

const dns = (value: string): GeneralName => ({ kind: 'dns', value })
const uri = (value: string): GeneralName => ({ kind: 'uri', value })
const email = (value: string): GeneralName => ({ kind: 'email', value })
const ip = (...value: number[]): GeneralName => ({ kind: 'ip', value: Uint8Array.from(value) })
const permit = (...permitted: GeneralName[]): NameConstraints => ({ permitted, excluded: [] })
const exclude = (...excluded: GeneralName[]): NameConstraints => ({ permitted: [], excluded })

describe('a certificate for a host name', () => {
  it.each<[string, string, boolean]>([
    ['a.example.com', 'A.Example.com', true],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*', 'localhost', false],
    ['*.com', 'example.com', false],
    ['*.co.uk', 'example.co.uk', false],
    ['*.s3.amazonaws.com', 'bucket.s3.amazonaws.com', false],
  ])('CVE-2020-15104: %s is for %s: %j', (certificate, host, fits) => {
    expect(hostNameFits(certificate, host)).toBe(fits)
  })

  it.each(['a\u3002b.example.com', 'a\uff0eb.example.com', 'a\uff61example.com', 'boo\u212a.example.com'])(
    'CVE-2026-48618: %j is no host, whatever its dots and letters look like',
    (host) => {
      expect(hostNameFits('*.example.com', host)).toBe(false)
      expect(hostNameFits(host.toLowerCase(), host)).toBe(false)
    },
  )

  it.each([
    'a_b.example.com',
    '.example.com',
    'a..b',
    'ba*.example.com',
    'a.*.example.com',
    '-a.com',
    '*',
    `${'a'.repeat(64)}.com`,
  ])('is malformed: %s', (name) => {
    expect(dnsNameProblem(name)).toBeDefined()
  })
})

describe('name constraints', () => {
  it.each<[string, NameConstraints, GeneralName, boolean]>([
    ['a name below', permit(dns('example.com')), dns('a.example.com'), true],
    ['another name', permit(dns('example.com')), dns('notexample.com'), false],
    ['a name of another kind', permit(dns('example.com')), ip(10, 0, 0, 1), true],
    ['an address in the range', permit(ip(10, 0, 0, 0, 255, 0, 0, 0)), ip(10, 9, 8, 7), true],
    ['an address beside it', permit(ip(10, 0, 0, 0, 255, 0, 0, 0)), ip(11, 0, 0, 1), false],
    ['an address of the other family', permit(ip(10, 0, 0, 0, 255, 0, 0, 0)), ip(...new Array<number>(16).fill(0)), false],
    ['the trust domain', permit(uri('td.example')), uri('spiffe://td.example/ns/a/sa/b'), true],
    ['another trust domain', permit(uri('td.example')), uri('spiffe://td.example.evil/ns/a'), false],
    ['a trust domain below', permit(uri('.example')), uri('spiffe://td.example/ns/a'), true],
    ['a user with the name before it', permit(uri('td.example')), uri('spiffe://td.example@evil/ns/a'), false],
    ['a mailbox of the host', permit(email('example.com')), email('a@Example.com'), true],
    ['an asterisk that is a letter', permit(email('*@example.com')), email('a@example.com'), false],
    ['what is excluded', exclude(dns('example.com')), dns('a.example.com'), false],
    ['CVE-2025-61727: a wildcard that reaches what is excluded', exclude(dns('bar.example.com')), dns('*.example.com'), false],
    [
      'a name of a kind that nobody can compare, excluded',
      exclude({ kind: 'other', tag: 0xa0 }),
      { kind: 'other', tag: 0xa0 },
      false,
    ],
  ])('%s', (_, constraints, name, allowed) => {
    expect(constraintProblem(constraints, [name]) === undefined).toBe(allowed)
  })

  it('are not compared for ever', () => {
    const many = Array.from({ length: 300 }, (_, i) => dns(`a${i}.example.com`))
    expect(constraintProblem(exclude(...many), many)).toContain('than anybody needs')
  })

  it.each([
    ['nothing in them', '3000'],
    ['a wildcard', '300fa00d300b82092a2e6578616d706c65'],
    ['a dot before it', '300ea00c300a82082e6578616d706c65'],
    ['an address without a mask', '300aa008300687040a000001'],
    ['a length that is not the shortest', '308100'],
  ])('are refused with %s', (_, hex) => {
    expect(() => readNameConstraints(Buffer.from(hex, 'hex'))).toThrow(DerError)
  })
})

it('CVE-2025-66220: what cannot be read has no names', () => {
  for (const bytes of ['', '30', '3003020101', '30820000', 'ff'.repeat(40)])
    expect(readSubjectAltNames(Buffer.from(bytes, 'hex'))).toEqual({ uris: [], dns: [], ips: [], emails: [], otherNames: [] })
})
