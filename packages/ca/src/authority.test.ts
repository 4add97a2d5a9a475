import { createPublicKey, X509Certificate } from 'node:crypto'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { type CaError, type CertificateAuthority, createAuthority } from './authority.js'
import { createIntermediateCertificate, createRootCertificate, readCertificate, type Signer } from './certificate.js'
import { createCsr, readCsr } from './csr.js'
import { grantFor, workloadGrant } from './grants.js'
import { issueIdentity } from './issue.js'
import { createKey, type KeyAlgorithm } from './keys.js'
import { readNames } from './names.js'
import { fromPem, toPem } from './pem.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { createMemoryStore } from './store.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const nolen = { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'client' }
const uri = 'spiffe://cluster.local/ns/nolen/sa/client'
const parse = (pem: string | undefined): X509Certificate => new X509Certificate(pem ?? '')
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: CaError) => error.code,
  )

async function leafOf(authority: CertificateAuthority, algorithm?: KeyAlgorithm): Promise<X509Certificate> {
  const { certificateChain } = await issueIdentity(authority, workloadGrant(nolen), algorithm)
  return parse(certificateChain)
}

describe('a self-signed authority', () => {
  it.each(['P-256', 'P-384', 'RSA-2048', 'Ed25519'] as const)('signs a %s leaf that OpenSSL verifies', async (algorithm) => {
    const clock = createFakeClock()
    const authority = await createSelfSignedAuthority({ clock, algorithm })
    const root = parse(authority.trustBundle.current[0])
    const leaf = await leafOf(authority, algorithm)
    expect(root.ca).toBe(true)
    expect(root.subject).toBe('O=cluster.local')
    expect(root.verify(root.publicKey)).toBe(true)
    expect(leaf.checkIssued(root)).toBe(true)
    expect(leaf.verify(root.publicKey)).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(leaf.subjectAltName).toBe(`URI:${uri}`)
    // OpenSSL prints no subject as undefined: identity is the URI alone.
    expect(leaf.subject ?? '').toBe('')
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(readNames(new Uint8Array(leaf.raw))).toEqual([{ uri }])
  })

  it('gives 24 hours, two minutes back, and never more than it has itself', async () => {
    const clock = createFakeClock()
    const authority = await createSelfSignedAuthority({ clock, rootTtlMs: 10 * DAY })
    const leaf = await leafOf(authority)
    expect(Date.parse(leaf.validTo) - clock.now()).toBe(DAY)
    expect(clock.now() - Date.parse(leaf.validFrom)).toBe(120_000)
    const long = parse((await issueIdentity(authority, workloadGrant(nolen, 60 * DAY))).certificateChain)
    expect(long.validTo).toBe(parse(authority.trustBundle.current[0]).validTo)
  })

  it('refuses lifetimes over 90 days, grants without names and signing after its own end', async () => {
    const clock = createFakeClock()
    const authority = await createSelfSignedAuthority({ clock, rootTtlMs: DAY })
    const csr = createCsr(await createKey())
    expect(await codeOf(authority.sign(csr, workloadGrant(nolen, 91 * DAY)))).toBe('ca.ttl')
    expect(await codeOf(authority.sign(csr, { names: [] }))).toBe('ca.denied')
    clock.advance(DAY)
    expect(await codeOf(authority.sign(csr, workloadGrant(nolen)))).toBe('ca.expired')
  })

  it('keeps its root in the store', async () => {
    const clock = createFakeClock()
    const store = createMemoryStore()
    const [first, second] = [await createSelfSignedAuthority({ clock, store }), await createSelfSignedAuthority({ clock, store })]
    expect(second.trustBundle.current).toEqual(first.trustBundle.current)
    expect((await leafOf(second)).verify(parse(first.trustBundle.current[0]).publicKey)).toBe(true)
  })

  it('does not take names from the request', async () => {
    const authority = await createSelfSignedAuthority({ clock: createFakeClock() })
    const csr = createCsr(await createKey(), [
      { uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' },
      { dns: 'evil.example' },
    ])
    const [leaf] = await authority.sign(csr, workloadGrant(nolen))
    expect(parse(leaf).subjectAltName).toBe(`URI:${uri}`)
  })
})

describe('an intermediate', () => {
  it('sends itself along, and its leaf verifies through it', async () => {
    const clock = createFakeClock()
    const validity = { notBefore: clock.now(), notAfter: clock.now() + 30 * DAY }
    const [rootKey, key] = [await createKey('P-384'), await createKey()]
    const rootDer = createRootCertificate(rootKey, { organization: 'root' }, validity)
    const rootFacts = readCertificate(rootDer)
    if (!rootFacts.ok) throw new Error('root')
    const root: Signer = { certificate: rootFacts.value, key: rootKey, chain: [] }
    const der = createIntermediateCertificate(
      key,
      { organization: 'nolen' },
      { notBefore: 0, notAfter: clock.now() + 365 * DAY },
      root,
    )
    const facts = readCertificate(der)
    if (!facts.ok) throw new Error('intermediate')
    const authority = createAuthority(
      { certificate: facts.value, key, chain: [toPem('CERTIFICATE', der)] },
      [toPem('CERTIFICATE', rootDer)],
      { clock },
    )
    const chain = await authority.sign(createCsr(await createKey()), workloadGrant(nolen))
    const [leaf, intermediate] = chain.map(parse)
    expect(chain).toHaveLength(2)
    expect(leaf?.verify(intermediate!.publicKey)).toBe(true)
    expect(intermediate?.verify(createPublicKey(rootKey))).toBe(true)
    expect(intermediate?.validTo).toBe(new X509Certificate(rootDer).validTo)
  })
})

describe('names of servers', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['2001:db8::8:800:200c:417a', '2001:db8:0:0:8:800:200c:417a'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('the address %s is written as it is', async (ip, read) => {
    const authority = await createSelfSignedAuthority({ clock: createFakeClock() })
    const [leaf] = await authority.sign(createCsr(await createKey()), { names: [{ ip }] })
    expect(readNames(fromPem('CERTIFICATE', leaf as string)[0] as Uint8Array)).toEqual([{ ip: read }])
  })

  it.each([
    '1.2.3',
    '1.2..3',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4.5',
    '1::2::3',
    '12zz::',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8::',
  ])('%s is no address', async (ip) => {
    const authority = await createSelfSignedAuthority({ clock: createFakeClock() })
    const csr = createCsr(await createKey())
    await expect(authority.sign(csr, { names: [{ ip }] })).rejects.toThrow('is not an IP address')
  })
})

describe('a certificate request', () => {
  it('must be signed by its own key', async () => {
    const csr = createCsr(await createKey())
    expect(readCsr(csr).ok).toBe(true)
    csr[csr.length - 1]! ^= 1
    expect(readCsr(csr)).toMatchObject({ ok: false, diagnostics: [{ code: 'ca.csr' }] })
  })

  it('with any byte changed is refused, or is still for the same key', async () => {
    const key = await createKey()
    const csr = createCsr(key, [{ uri }])
    const own = readCsr(csr)
    if (!own.ok) throw new Error('own request')
    for (let i = 0; i < csr.length; i++) {
      const broken = csr.slice()
      broken[i]! ^= 1 << (i % 8)
      const read = readCsr(broken)
      expect(read.ok && Buffer.compare(read.value.publicKeyInfo, own.value.publicKeyInfo) !== 0, `byte ${i}`).toBe(false)
    }
  })

  it('with a weak key is refused', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    expect(readCsr(createCsr(weak))).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining('1024') }] })
  })

  it('for a point that is not on the curve is refused', async () => {
    const csr = createCsr(await createKey())
    // The last byte of the point stands right before the empty attributes, `a0 00`, at the end of the first part.
    const spki = readCsr(csr)
    if (!spki.ok) throw new Error('request')
    const at = Buffer.from(csr).indexOf(Buffer.from(spki.value.publicKeyInfo)) + spki.value.publicKeyInfo.length - 1
    csr[at]! ^= 1
    expect(readCsr(csr)).toMatchObject({
      ok: false,
      diagnostics: [{ message: expect.stringContaining('public key cannot be read') }],
    })
  })

  it('in PEM goes through as it is', async () => {
    const csr = createCsr(await createKey())
    expect(fromPem('CERTIFICATE REQUEST', `text before\n${toPem('CERTIFICATE REQUEST', csr)}`)).toEqual([csr])
  })
})

describe('grants', () => {
  const policy = { trustDomain: 'cluster.local' }
  const caller = (...identities: string[]): { identities: string[]; method: string } => ({ identities, method: 'test' })

  it('are for the one identity that was proved', () => {
    expect(grantFor(caller(uri), undefined, policy)).toMatchObject({ ok: true, value: { names: [{ uri }] } })
    expect(grantFor(caller(uri), 0, policy)).toMatchObject({ ok: true, value: { names: [{ uri }] } })
  })

  it.each([
    ['no identity', caller(), undefined, 'ca.denied'],
    ['two identities', caller(uri, uri), undefined, 'ca.denied'],
    ['another trust domain', caller('spiffe://other/ns/a/sa/b'), undefined, 'ca.denied'],
    ['something else', caller('spiffe://cluster.local/workload'), undefined, 'spiffe.invalid_id'],
    ['too long a life', caller(uri), 91 * DAY, 'ca.ttl'],
    ['a negative life', caller(uri), -1, 'ca.ttl'],
    ['no number', caller(uri), Number.NaN, 'ca.ttl'],
  ])('refuse %s', (_, who, ttl, code) => {
    expect(grantFor(who, ttl, policy)).toMatchObject({ ok: false, diagnostics: [{ code }] })
  })
})
