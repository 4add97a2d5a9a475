import { X509Certificate } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { presentedChain } from '../src/net/presented-chain.js'
import { describePeer, keepDescription } from '../src/net/x509/peer-certificate.js'
import { derOf } from '../src/net/x509/pem.js'
import { type Identity, issue, spiffe } from './certificates.js'

let root: Identity
let namesake: Identity
let intermediate: Identity
let leaf: Identity
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  namesake = issue({ commonName: 'root', ca: true })
  intermediate = issue({ commonName: 'intermediate', ca: true }, root)
  leaf = issue({ commonName: 'leaf', uris: [spiffe('leaf')], dns: ['leaf.example'] }, intermediate)
})

const chainOf = (pem: string): readonly string[] => derOf(pem).map((der) => new X509Certificate(der).fingerprint256)
const chain = (...identities: Identity[]): readonly string[] =>
  chainOf(identities.map(({ certificate }) => certificate).join('\n'))

test('one certificate is presented with its issuers among the trust anchors, by their keys and not by their names', () => {
  const trust = [namesake, root, intermediate].map(({ certificate }) => certificate).join('\n')
  expect(chainOf(presentedChain(leaf.certificate, trust))).toEqual(chain(leaf, intermediate, root))
  expect(chainOf(presentedChain(leaf.certificate, root.certificate))).toEqual(chain(leaf))
  expect(chainOf(presentedChain(intermediate.certificate, namesake.certificate))).toEqual(chain(intermediate))
  expect(chainOf(presentedChain(root.certificate, root.certificate))).toEqual(chain(root))
})

test('a chain that has more, no trust and what cannot be read are left as they are', () => {
  const whole = leaf.certificate + intermediate.certificate
  expect(presentedChain(whole, root.certificate)).toBe(whole)
  expect(presentedChain(leaf.certificate, undefined)).toBe(leaf.certificate)
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  expect(presentedChain(broken, root.certificate)).toBe(broken)
  expect(presentedChain('', root.certificate)).toBe('')
})

test('a certificate that comes again, and was kept, is described once', () => {
  const first = describePeer(new X509Certificate(leaf.certificate))
  const stranger = describePeer(new X509Certificate(leaf.certificate))
  keepDescription(first)
  const again = describePeer(new X509Certificate(leaf.certificate))
  expect(again).toMatchObject({ uris: [spiffe('leaf')], dns: ['leaf.example'], subject: 'CN=leaf,O=Heddle', hash: stranger.hash })
  expect([stranger === first, again === first]).toEqual([false, true])
  expect(describePeer(new X509Certificate(root.certificate)).subject).toBe('CN=root,O=Heddle')
})
