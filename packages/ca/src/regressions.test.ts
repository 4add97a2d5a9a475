import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createAuthority } from './authority.js'
import { organizationName, readCertificate } from './certificate.js'
import { createCsr, readCsr } from './csr.js'
import { MAX_DER_DEPTH, readDer, readOid } from './der/reader.js'
import { bitString, concat, contextPrimitive, element, integer, oid, sequence } from './der/writer.js'
import { workloadGrant } from './grants.js'
import { createKey, verifyDer } from './keys.js'
import { readNames } from './names.js'
import { toPem } from './pem.js'
import { openPluggedIn } from './plugged-in.js'
import { readLeafSvid } from './svid.js'
import { CLIENT_AUTH, type Crafted, craft, extension, parts } from './testing.js'
import { trustBundles } from './trust-bundle.js'
import { verifySvid } from './verify.js'
import { readX509 } from './x509.js'

// Bugs that others have had, by their names. What a broken library or a careless CA took must be refused here.

const ID = 'spiffe://cluster.local/ns/shop/sa/cart'
const HOUR = 3_600_000
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const leafWith = (name: Uint8Array, purposes?: string): Promise<Crafted> =>
  craft({
    extensions: [
      parts.keyUsage(0x80),
      ...(purposes === undefined ? [] : [parts.purposes(purposes)]),
      extension('2.5.29.17', sequence(name)),
    ],
  })

describe('names', () => {
  it('CVE-2025-66220, CVE-2026-47778, CVE-2026-48930: a NUL inside a name is no end of it', async () => {
    const { der } = await leafWith(contextPrimitive(6, ascii(`${ID}\0.evil.example`)))
    expect(readLeafSvid(der).ok).toBe(false)
    expect(readNames(der)).toEqual([])
    expect(readNames((await leafWith(contextPrimitive(2, ascii('good.example\0.evil.example')))).der)).toEqual([])
  })

  it('CVE-2022-21656: an e-mail address is no DNS name and no URI', async () => {
    const { der } = await leafWith(contextPrimitive(1, ascii(ID)))
    expect(readNames(der)).toEqual([])
    expect(readX509(der)).toMatchObject({ ok: true, value: { otherNames: 1 } })
    expect(readNames((await leafWith(contextPrimitive(2, ascii('a.example')))).der)).toEqual([{ dns: 'a.example' }])
  })

  it('CVE-2022-21657: a certificate for something else than TLS on both sides proves nobody', async () => {
    expect(readLeafSvid((await leafWith(contextPrimitive(6, ascii(ID)), '1.3.6.1.5.5.7.3.4')).der).ok).toBe(false)
    expect(readLeafSvid((await leafWith(contextPrimitive(6, ascii(ID)), CLIENT_AUTH)).der).ok).toBe(false)
    expect(readLeafSvid((await leafWith(contextPrimitive(6, ascii(ID)))).der).ok).toBe(true)
  })
})

it('istio#59768: no leaf outlives its signer', async () => {
  const clock = createFakeClock()
  const end = clock.now() + HOUR
  const root = await craft({
    extensions: [parts.keyUsage(0x06), parts.authority()],
    notBefore: clock.now() - HOUR,
    notAfter: end,
  })
  const facts = readCertificate(root.der)
  if (!facts.ok) throw new Error('root')
  const authority = createAuthority({ certificate: facts.value, key: root.key, chain: [] }, [toPem('CERTIFICATE', root.der)], {
    clock,
  })
  const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }
  const [leaf] = await authority.sign(createCsr(await createKey()), workloadGrant(who, 24 * HOUR))
  const read = readX509(new Uint8Array(Buffer.from((leaf as string).replace(/-----.*-----|\s/g, ''), 'base64')))
  expect(read).toMatchObject({ ok: true, value: { notAfter: end, notBefore: clock.now() - 120_000 } })
})

/** The largest integer whose cube is not above `n`. */
function cubeRoot(n: bigint): bigint {
  let low = 0n
  let high = 1n << BigInt(Math.ceil(n.toString(2).length / 3) + 1)
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle ** 3n <= n) low = middle
    else high = middle - 1n
  }
  return low
}

const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** A PKCS #1 v1.5 signature without the private key, good for who does not look at all of the padding (Bleichenbacher, 2006). */
function forgedSignature(key: KeyObject, info: Uint8Array, prefix: Uint8Array = SHA256_INFO): Uint8Array {
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const head = Buffer.concat([Buffer.from('0001ff00', 'hex'), prefix, createHash('sha256').update(info).digest()])
  // What follows may be anything: enough room for the root of a number that starts like this.
  const wanted = BigInt(`0x${Buffer.concat([head, Buffer.alloc(bytes - head.length, 0xff)]).toString('hex')}`)
  const root = cubeRoot(wanted).toString(16)
  return new Uint8Array(Buffer.from(root.padStart(bytes * 2, '0'), 'hex'))
}

describe('node-forge', () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(path.join(import.meta.dirname, file), 'utf8') }))

  it('CVE-2020-7720, CVE-2026-33891: only takes PEM apart, in one file; it does no maths and sets no paths', () => {
    const users = sources.filter(({ text }) => text.includes("'node-forge'"))
    expect(users.map(({ file }) => file)).toEqual(['plugged-in.ts'])
    expect([...new Set(users[0]?.text.match(/forge\.\w+(\.\w+)?/g))]).toEqual(['forge.pem.decode'])
  })

  it.each([
    ['CVE-2022-24771, garbage after the digest', SHA256_INFO],
    ['CVE-2022-24772, CVE-2026-33894, another field in DigestInfo', Buffer.from('3033300d060960864801650304020105000420', 'hex')],
    ['CVE-2022-24773, no NULL', Buffer.from('302f300b06096086480165030402010420', 'hex')],
  ])('%s: a signature that is forged for e = 3 is refused', (_, prefix) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
    const csr = createCsr(privateKey)
    const info = readDer(csr)
    if (!info.ok) throw new Error('csr')
    const [content, algorithm] = info.value.children
    const signature = forgedSignature(privateKey, content?.raw ?? new Uint8Array(0), prefix)
    const forged = sequence(content?.raw ?? new Uint8Array(0), algorithm?.raw ?? new Uint8Array(0), bitString(signature))
    expect(readCsr(csr).ok).toBe(true)
    expect(readCsr(forged)).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining('signature') }] })
  })

  it('CVE-2025-12816: what does not fit its schema is not read as something else', async () => {
    const csr = createCsr(await createKey())
    const read = readDer(csr)
    if (!read.ok) throw new Error('csr')
    const [info, algorithm, signature] = read.value.children.map(({ raw }) => raw)
    for (const odd of [
      sequence(info as Uint8Array, signature as Uint8Array),
      sequence(algorithm as Uint8Array, info as Uint8Array, signature as Uint8Array),
      sequence(info as Uint8Array, algorithm as Uint8Array, signature as Uint8Array, element(0x05)),
    ])
      expect(readCsr(odd).ok).toBe(false)
  })

  it('CVE-2025-66031: nesting is bounded', () => {
    let deep: Uint8Array = sequence()
    for (let i = 0; i < 5000; i++) deep = sequence(deep)
    expect(readDer(deep)).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining(String(MAX_DER_DEPTH)) }] })
  })

  it('CVE-2025-66030: an arc above 2^32 does not become a small one', () => {
    // 1.2.840.10045.4.3.2 with 2^32 added to its last arc.
    const honest = oid('1.2.840.10045.4.3.2')
    const large = element(0x06, honest.slice(2, -1), Uint8Array.of(0x90, 0x80, 0x80, 0x80, 0x02))
    const read = readDer(large)
    expect(read.ok && readOid(read.value)).toBe(`1.2.840.10045.4.3.${2 ** 32 + 2}`)
  })

  it('CVE-2026-33895: an Ed25519 signature with S above the order is refused', async () => {
    const key = await createKey('Ed25519')
    const signature = new Uint8Array(sign(null, ascii('x'), key))
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    let s = 0n
    for (let i = 63; i >= 32; i--) s = s * 256n + BigInt(signature[i] as number)
    const more = signature.slice()
    for (let i = 32, rest = s + order; i < 64; i++, rest >>= 8n) more[i] = Number(rest & 255n)
    const verify = (bytes: Uint8Array): boolean => verifyDer(createPublicKey(key), '1.3.101.112', ascii('x'), bytes)
    expect([verify(signature), verify(more)]).toEqual([true, false])
  })

  it('CVE-2026-33891: a signature of zeros is refused at once', async () => {
    const key = await createKey()
    const zeros = sequence(integer(Uint8Array.of(0)), integer(Uint8Array.of(0)))
    expect(verifyDer(createPublicKey(key), '1.2.840.10045.4.3.2', ascii('x'), zeros)).toBe(false)
  })

  it('CVE-2026-33896: an intermediate that does not say it is a CA signs for nobody', async () => {
    const root = await craft({ extensions: [parts.keyUsage(0x06), parts.authority()] })
    const name = organizationName('between')
    const chainOf = async (constraints: Uint8Array[]): Promise<boolean> => {
      const between = await craft({ issuer: root, subject: name, extensions: [parts.keyUsage(0x06), ...constraints] })
      const leaf = await craft({ issuer: between, extensions: [parts.keyUsage(0x80), parts.names([{ uri: ID }])] })
      const bundles = trustBundles({ trustDomain: 'cluster.local', x509Authorities: [toPem('CERTIFICATE', root.der)] })
      return verifySvid([leaf.der, between.der], bundles, { now: Date.UTC(2026, 0, 1) }).ok
    }
    expect([await chainOf([parts.authority()]), await chainOf([]), await chainOf([parts.noAuthority()])]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('what it finds in PEM is not certified before our own reader has seen it', async () => {
    const root = await craft({ extensions: [parts.keyUsage(0x06), parts.authority()] })
    const files = (der: Uint8Array): Parameters<typeof openPluggedIn>[0] => ({
      caCert: toPem('CERTIFICATE', der),
      caKey: root.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      rootCert: toPem('CERTIFICATE', root.der),
      certChain: '',
    })
    const now = Date.UTC(2026, 0, 1)
    expect((await openPluggedIn(files(root.der), now)).ok).toBe(true)
    expect(await openPluggedIn(files(concat([root.der, Uint8Array.of(0)])), now)).toMatchObject({
      ok: false,
      diagnostics: [{ path: 'ca-cert.pem' }],
    })
  })
})
