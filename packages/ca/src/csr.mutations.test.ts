import { X509Certificate } from 'node:crypto'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createCsr, readCsr } from './csr.js'
import { bitString, boolean, context, type Der, integer, octetString, oid, sequence, set, utf8String } from './der/writer.js'
import { type SubjectAltName, subjectAltName } from './extensions.js'
import { grantFor } from './grants.js'
import { createKey, publicKeyInfo, signatureAlgorithm, signDer } from './keys.js'
import { readNames } from './names.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { readLeafSvid } from './svid.js'

const CALLER = 'spiffe://cluster.local/ns/shop/sa/cart'
const EVIL: readonly SubjectAltName[] = [
  { uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' },
  { uri: `${CALLER}/../istiod` },
  { uri: 'spiffe://cluster.local' },
  { dns: 'istiod.istio-system.svc' },
  { dns: '*.svc.cluster.local' },
  { ip: '10.0.0.1' },
]

type Key = Awaited<ReturnType<typeof createKey>>

/** A request of any contents, signed by its own key: the signature is no help. */
function signed(key: Key, subject: Der, extensions: readonly Der[], spki = publicKeyInfo(key)): Uint8Array {
  const request = sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...extensions)))
  const info = sequence(integer(Uint8Array.of(0)), subject, spki, context(0, ...(extensions.length === 0 ? [] : [request])))
  return sequence(info, signatureAlgorithm(key), bitString(signDer(key, info)))
}

const san = (...names: SubjectAltName[]): Der => sequence(oid('2.5.29.17'), boolean(true), octetString(subjectAltName(names)))
const isAuthority = sequence(oid('2.5.29.19'), boolean(true), octetString(sequence(boolean(true))))
const signsAll = sequence(oid('2.5.29.15'), boolean(true), octetString(bitString(Uint8Array.of(0xff), 0)))
const common = (name: string): Der => sequence(set(sequence(oid('2.5.4.3'), utf8String(name))))

it('1,000 mutated requests: none is signed with a name that the caller does not have', async () => {
  const clock = createFakeClock()
  const random = createSeededRandom(10)
  const below = (n: number): number => Math.floor(random.next() * n)
  const authority = await createSelfSignedAuthority({ clock })
  const grant = grantFor({ identities: [CALLER], method: 'test' }, undefined, { trustDomain: 'cluster.local' })
  if (!grant.ok) throw new Error('grant')
  const keys = [await createKey(), await createKey('P-384'), await createKey('Ed25519'), await createKey('RSA-2048')]
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T

  /** Asks for what is not its own, by every way that a request has; the signature is right. */
  const greedy = (key: Key): Uint8Array => {
    const extensions = [san(pick(EVIL)), san(pick(EVIL), pick(EVIL)), isAuthority, signsAll].filter(() => random.next() < 0.6)
    return signed(key, random.next() < 0.5 ? sequence() : common('istiod'), extensions)
  }
  const flip = (csr: Uint8Array): Uint8Array => {
    const copy = csr.slice()
    for (let n = 1 + below(4); n > 0; n--) copy[below(copy.length)]! ^= 1 << below(8)
    return copy
  }
  const mutations: readonly ((key: Key) => Uint8Array)[] = [
    greedy,
    (key) => flip(greedy(key)),
    (key) => flip(createCsr(key, [pick(EVIL)])),
    (key) => greedy(key).slice(0, below(200)),
    // The info of one request under the signature of another.
    (key) => {
      const [a, b] = [greedy(key), greedy(pick(keys))]
      const cut = below(Math.min(a.length, b.length))
      return Uint8Array.from([...a.slice(0, cut), ...b.slice(cut)])
    },
    // A key that the sender does not have.
    (key) => signed(key, sequence(), [san(pick(EVIL))], publicKeyInfo(keys[(keys.indexOf(key) + 1) % keys.length] as Key)),
    (key) => Uint8Array.from([...greedy(key), ...greedy(key)]),
  ]
  let issued = 0
  for (let i = 0; i < 1000; i++) {
    const csr = pick(mutations)(pick(keys))
    const chain = await authority.sign(csr, grant.value).catch(() => undefined)
    if (chain === undefined) continue
    issued++
    const leaf = new X509Certificate(chain[0] as string)
    const asked = readCsr(csr)
    expect(readNames(new Uint8Array(leaf.raw)), `request ${i}`).toEqual([{ uri: CALLER }])
    expect(leaf.subjectAltName).toBe(`URI:${CALLER}`)
    expect(readLeafSvid(new Uint8Array(leaf.raw))).toMatchObject({ ok: true, value: { spiffeId: CALLER } })
    expect([leaf.ca, leaf.subject ?? '']).toEqual([false, ''])
    expect(asked.ok && leaf.publicKey.equals(asked.value.publicKey)).toBe(true)
  }
  // Requests that only ask for too much are answered, with what the caller has; those that are broken are not.
  expect(issued).toBeGreaterThan(100)
  expect(issued).toBeLessThan(600)
})
