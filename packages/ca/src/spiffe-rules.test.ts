import { createPrivateKey } from 'node:crypto'
import { createFakeClock } from '@heddle/runtime/testing'
import { SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { organizationName } from './certificate.js'
import { type Der, oid, sequence } from './der/writer.js'
import type { SubjectAltName } from './extensions.js'
import { workloadGrant } from './grants.js'
import { issueIdentity } from './issue.js'
import { createJwtSvidIssuer, verifyJwtSvid } from './jwt-svid.js'
import { createKey, exportKey } from './keys.js'
import { fromPem, toPem } from './pem.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { readSpiffeUri } from './spiffe-uri.js'
import { readLeafSvid, readSigningSvid } from './svid.js'
import { CLIENT_AUTH, type Crafted, craft, extension, parts, SERVER_AUTH } from './testing.js'
import { readSpiffeBundle, type TrustBundle, trustBundles, writeSpiffeBundle } from './trust-bundle.js'
import { verifySvid } from './verify.js'
import { readX509 } from './x509.js'

// One row for each MUST of SPIFFE-ID, X509-SVID, JWT-SVID and Trust Domain and Bundle; those of the Workload API are in
// test/workload-api.test.ts. What a row says must hold, and its opposite is refused.

const ID = 'spiffe://cluster.local/ns/shop/sa/cart'
const NOW = Date.UTC(2026, 10, 21)
const uri = (text: string): SubjectAltName => ({ uri: text })

interface Shape {
  names?: readonly SubjectAltName[]
  namesCritical?: boolean
  subject?: Uint8Array
  keyUsage?: Der | undefined
  constraints?: Der | undefined
  purposes?: readonly string[] | undefined
  more?: readonly Der[]
  issuer?: Crafted
  notAfter?: number
}

function extensionsOf(shape: Shape, bits: number, constraints: Der): Der[] {
  const { names = [uri(ID)], namesCritical = true, purposes, more = [] } = shape
  return [
    ...('keyUsage' in shape ? (shape.keyUsage === undefined ? [] : [shape.keyUsage]) : [parts.keyUsage(bits)]),
    ...('constraints' in shape ? (shape.constraints === undefined ? [] : [shape.constraints]) : [constraints]),
    ...(purposes === undefined ? [] : [parts.purposes(...purposes)]),
    ...(names.length === 0 ? [] : [parts.names(names, namesCritical)]),
    ...more,
  ]
}

/** A leaf that is in order, but for what the row changes. */
function leaf(shape: Shape = {}): Promise<Crafted> {
  const { issuer = root, subject, notAfter } = shape
  const extensions = extensionsOf(shape, 0x80, parts.noAuthority())
  return craft({
    issuer,
    extensions,
    ...(subject === undefined ? {} : { subject }),
    ...(notAfter === undefined ? {} : { notAfter }),
  })
}

/** A signing certificate that is in order, but for what the row changes. */
function signing(shape: Shape & { pathLength?: number } = {}): Promise<Crafted> {
  const extensions = extensionsOf({ names: [], ...shape }, 0x06, parts.authority(shape.pathLength))
  return craft({
    subject: shape.subject ?? organizationName('intermediate'),
    extensions,
    ...(shape.issuer === undefined ? {} : { issuer: shape.issuer }),
  })
}

let root: Crafted
let other: Crafted
beforeAll(async () => {
  root = await signing({ subject: organizationName('root') })
  other = await signing({ subject: organizationName('root') })
})

const bundleOf = (trustDomain: string, ...roots: readonly Crafted[]): TrustBundle => ({
  trustDomain,
  x509Authorities: roots.map(({ der }) => toPem('CERTIFICATE', der)),
})
const leafIsFine = async (shape?: Shape): Promise<boolean> => readLeafSvid((await leaf(shape)).der).ok
const signingIsFine = async (shape?: Shape): Promise<boolean> => readSigningSvid((await signing(shape)).der).ok
const verified = async (chain: readonly Crafted[], roots = [root], trustDomain = 'cluster.local'): Promise<boolean> =>
  verifySvid(
    chain.map(({ der }) => der),
    trustBundles(bundleOf(trustDomain, ...roots)),
    { now: NOW },
  ).ok
const isId = (text: string): boolean => readSpiffeUri(text).ok

/** Must hold, and must not. */
type Row = readonly [rule: string, holds: () => boolean | Promise<boolean>, fails: () => boolean | Promise<boolean>]

const SPIFFE_ID: readonly Row[] = [
  ['§2 the scheme is spiffe', () => isId(ID), () => isId('https://cluster.local/ns/shop/sa/cart')],
  ['§2 in lower case', () => isId('spiffe://td'), () => isId('SPIFFE://td')],
  ['§2 the trust domain is not empty', () => isId('spiffe://td/a'), () => isId('spiffe:///a')],
  ['§2 there is no query', () => isId('spiffe://td/a'), () => isId('spiffe://td/a?b')],
  ['§2 there is no fragment', () => isId('spiffe://td/a'), () => isId('spiffe://td/a#b')],
  ['§2.1 there is no user', () => isId('spiffe://td'), () => isId('spiffe://user@td/a')],
  ['§2.1 there is no port', () => isId('spiffe://td'), () => isId('spiffe://td:443/a')],
  ['§2.1 there is no colon', () => isId('spiffe://td'), () => isId('spiffe://td:/a')],
  ['§2.1 letters of a trust domain are lower case', () => isId('spiffe://td-1_x.y'), () => isId('spiffe://TD/a')],
  ['§2.1 a trust domain is not percent-encoded', () => isId('spiffe://td'), () => isId('spiffe://t%64/a')],
  ['§2.2 letters, digits, dots, hyphens and underscores', () => isId('spiffe://td/A-b_c.9'), () => isId('spiffe://td/a b')],
  ['§2.2 a path is not percent-encoded', () => isId('spiffe://td/a'), () => isId('spiffe://td/%61')],
  ['§2.2 no segment is empty', () => isId('spiffe://td/a/b'), () => isId('spiffe://td/a//b')],
  ['§2.2 a path does not end with a slash', () => isId('spiffe://td/a'), () => isId('spiffe://td/a/')],
  ['§2.2 no segment is a dot', () => isId('spiffe://td/.a'), () => isId('spiffe://td/./a')],
  ['§2.2 no segment is two dots', () => isId('spiffe://td/..a'), () => isId('spiffe://td/a/../b')],
  ['§2.3 2048 bytes are taken', () => isId(`spiffe://td/${'a'.repeat(2036)}`), () => isId(`spiffe://td/${'a'.repeat(2037)}`)],
  [
    '§2.3 a trust domain has 255 bytes at most',
    () => isId(`spiffe://${'a'.repeat(255)}`),
    () => isId(`spiffe://${'a'.repeat(256)}`),
  ],
  ['§2.3 all of it is ASCII', () => isId('spiffe://td/a'), () => isId('spiffe://td/\u00e4')],
]

const X509_SVID: readonly Row[] = [
  ['§2 a leaf has a URI', () => leafIsFine(), () => leafIsFine({ names: [{ dns: 'cart.shop.svc' }] })],
  ['§2 a leaf has one URI only', () => leafIsFine(), () => leafIsFine({ names: [uri(ID), uri('https://example.com')] })],
  ['§2 not even the same twice', () => leafIsFine(), () => leafIsFine({ names: [uri(ID), uri(ID)] })],
  ['§2 DNS names may stand beside it', () => leafIsFine({ names: [{ dns: 'cart' }, uri(ID)] }), () => leafIsFine({ names: [] })],
  [
    '§2 a signing certificate has one URI at most',
    () => signingIsFine({ names: [uri('spiffe://td')] }),
    () => signingIsFine({ names: [uri('spiffe://td'), uri('spiffe://te')] }),
  ],
  ['§3.1 the ID of a leaf has a path', () => leafIsFine(), () => leafIsFine({ names: [uri('spiffe://cluster.local')] })],
  ['§3.1 names are critical where there is no subject', () => leafIsFine(), () => leafIsFine({ namesCritical: false })],
  [
    '§3.1 names need not be critical beside a subject',
    () => leafIsFine({ namesCritical: false, subject: organizationName('x') }),
    () => leafIsFine({ namesCritical: false, subject: sequence() }),
  ],
  [
    '§3.2 the ID of a signing certificate has no path',
    () => signingIsFine({ names: [uri('spiffe://cluster.local')] }),
    () => signingIsFine({ names: [uri(ID)] }),
  ],
  ['§3.2 a signing certificate may have no ID', () => signingIsFine({ names: [] }), () => signingIsFine({ names: [uri(ID)] })],
  [
    '§3.2 a signing certificate authenticates nobody',
    () => leafIsFine(),
    async () => readLeafSvid((await signing({ names: [uri(ID)] })).der).ok,
  ],
  ['§4.1 a signing certificate is a CA', () => signingIsFine(), () => signingIsFine({ constraints: parts.noAuthority() })],
  ['§4.1 which it says', () => signingIsFine(), () => signingIsFine({ constraints: undefined })],
  ['§4.1 a leaf is no CA', () => leafIsFine(), () => leafIsFine({ constraints: parts.authority() })],
  [
    '§4.1 a leaf may leave basic constraints out',
    () => leafIsFine({ constraints: undefined }),
    () => leafIsFine({ constraints: parts.authority(0) }),
  ],
  ['§4.3 a leaf has a key usage', () => leafIsFine(), () => leafIsFine({ keyUsage: undefined })],
  ['§4.3 which is critical', () => leafIsFine(), () => leafIsFine({ keyUsage: parts.keyUsage(0x80, false) })],
  ['§4.3 a signing certificate has a key usage', () => signingIsFine(), () => signingIsFine({ keyUsage: undefined })],
  ['§4.3 which is critical as well', () => signingIsFine(), () => signingIsFine({ keyUsage: parts.keyUsage(0x06, false) })],
  ['§4.3 a signing certificate has keyCertSign', () => signingIsFine(), () => signingIsFine({ keyUsage: parts.keyUsage(0x02) })],
  [
    '§4.3 it need not have cRLSign',
    () => signingIsFine({ keyUsage: parts.keyUsage(0x04) }),
    () => signingIsFine({ keyUsage: parts.keyUsage(0x80) }),
  ],
  ['§4.3 a leaf has digitalSignature', () => leafIsFine(), () => leafIsFine({ keyUsage: parts.keyUsage(0x20) })],
  [
    '§4.3 keyEncipherment may be there',
    () => leafIsFine({ keyUsage: parts.keyUsage(0xa0) }),
    () => leafIsFine({ keyUsage: parts.keyUsage(0x08) }),
  ],
  ['§4.3 a leaf has no keyCertSign', () => leafIsFine(), () => leafIsFine({ keyUsage: parts.keyUsage(0x84) })],
  ['§4.3 a leaf has no cRLSign', () => leafIsFine(), () => leafIsFine({ keyUsage: parts.keyUsage(0x82) })],
  [
    '§4.4 purposes have serverAuth',
    () => leafIsFine({ purposes: [SERVER_AUTH, CLIENT_AUTH] }),
    () => leafIsFine({ purposes: [CLIENT_AUTH] }),
  ],
  [
    '§4.4 purposes have clientAuth',
    () => leafIsFine({ purposes: [CLIENT_AUTH, SERVER_AUTH] }),
    () => leafIsFine({ purposes: [SERVER_AUTH] }),
  ],
  [
    '§5.1 the path ends in a root of the bundle',
    async () => verified([await leaf()]),
    async () => verified([await leaf()], [other]),
  ],
  [
    '§5.1 over intermediates',
    async () => {
      const between = await signing({ issuer: root })
      return verified([await leaf({ issuer: between }), between])
    },
    async () => {
      const between = await signing({ issuer: root })
      return verified([await leaf({ issuer: between })])
    },
  ],
  [
    '§5.1 that are signing certificates (RFC 5280 §6.1.4 k, n)',
    async () => verified([await leaf()]),
    async () => {
      const between = await leaf({ subject: organizationName('leaf') })
      return verified([await leaf({ issuer: between }), between])
    },
  ],
  [
    '§5.1 no longer than the path length says (RFC 5280 §6.1.4 l)',
    async () => {
      const between = await signing({ issuer: root, pathLength: 0 })
      return verified([await leaf({ issuer: between }), between])
    },
    async () => {
      const upper = await signing({ issuer: root, pathLength: 0, subject: organizationName('upper') })
      const lower = await signing({ issuer: upper })
      return verified([await leaf({ issuer: lower }), lower, upper])
    },
  ],
  [
    '§5.1 each in time (RFC 5280 §6.1.3 a 2)',
    async () => verified([await leaf({ notAfter: NOW + 1000 })]),
    async () => verified([await leaf({ notAfter: NOW - 1000 })]),
  ],
  [
    '§5.1 without critical extensions that are unknown (RFC 5280 §6.1.4 o)',
    () => leafIsFine({ more: [extension('1.2.3', sequence(), false)] }),
    () => leafIsFine({ more: [extension('1.2.3', sequence())] }),
  ],
  [
    '§4.2 name constraints that are critical are such',
    () => signingIsFine(),
    () => signingIsFine({ more: [extension('2.5.29.30', sequence(oid('1.2.3')))] }),
  ],
  [
    '§5.2 by the authority of its own trust domain',
    async () => verified([await leaf()]),
    async () => verified([await leaf()], [root], 'other.domain'),
  ],
  [
    '§5.2 no certificate stands for the name of another',
    async () => readX509((await leaf()).der).ok,
    () => leafIsFine({ more: [parts.names([uri(ID)])] }),
  ],
]

const entry = (bundle: TrustBundle): Record<string, unknown> =>
  (JSON.parse(writeSpiffeBundle(bundle)) as { keys: Record<string, unknown>[] }).keys[0] as Record<string, unknown>
const rootsOf = (set: unknown): number => {
  const read = readSpiffeBundle('td', JSON.stringify(set))
  return read.ok ? read.value.x509Authorities.length : -1
}
const own = (): Record<string, unknown> => entry(bundleOf('td', root))
const base64 = ({ der }: Crafted): string => Buffer.from(der).toString('base64')

const BUNDLE: readonly Row[] = [
  ['§4.1 other parameters are not asked for', () => rootsOf({ keys: [own()] }) === 1, () => rootsOf({ keys: {} }) >= 0],
  [
    '§4.1.1 spiffe_sequence is an integer',
    () => rootsOf({ keys: [], spiffe_sequence: 3 }) === 0,
    () => rootsOf({ keys: [], spiffe_sequence: '3' }) >= 0,
  ],
  [
    '§4.1.1 that is written as it is',
    () => writeSpiffeBundle({ trustDomain: 'td', x509Authorities: [], sequence: 7 }).includes('"spiffe_sequence": 7'),
    () => writeSpiffeBundle({ trustDomain: 'td', x509Authorities: [] }).includes('spiffe_sequence'),
  ],
  [
    '§4.1.2 spiffe_refresh_hint is an integer',
    () => rootsOf({ keys: [], spiffe_refresh_hint: 60 }) === 0,
    () => rootsOf({ keys: [], spiffe_refresh_hint: 1.5 }) >= 0,
  ],
  ['§4.1.3 keys is there', () => rootsOf({ keys: [] }) === 0, () => rootsOf({}) >= 0],
  [
    '§4.1.3 unknown key types are passed over',
    () => rootsOf({ keys: [{ ...own(), kty: 'LATTICE' }, own()] }) === 1,
    () => rootsOf({ keys: [{ ...own(), kty: 'LATTICE' }] }) === 1,
  ],
  ['§4.2.1 kty is there', () => typeof own()['kty'] === 'string', () => rootsOf({ keys: [{ ...own(), kty: undefined }] }) === 1],
  ['§4.2.2 use is there', () => own()['use'] === 'x509-svid', () => rootsOf({ keys: [{ ...own(), use: undefined }] }) === 1],
  [
    '§4.2.2 unknown uses are passed over',
    () => rootsOf({ keys: [{ ...own(), use: 'ssh' }, own()] }) === 1,
    () => rootsOf({ keys: [{ ...own(), use: 'X509-SVID' }] }) === 1,
  ],
  ['X509-SVID §6.1 an authority has no kid', () => !('kid' in own()), () => 'd' in own()],
  [
    'X509-SVID §6.1 x5c is its certificate',
    () => (own()['x5c'] as string[])[0] === base64(root),
    () => (own()['x5c'] as string[]).length !== 1,
  ],
  [
    'X509-SVID §6.2 entries without x5c are passed over',
    () =>
      rootsOf({
        keys: [
          { ...own(), x5c: [] },
          { ...own(), x5c: undefined },
        ],
      }) === 0,
    () => rootsOf({ keys: [{ ...own(), x5c: ['AAAA'] }] }) >= 0,
  ],
  [
    'X509-SVID §6.2 all but the first of x5c is passed over',
    () => rootsOf({ keys: [{ ...own(), x5c: [base64(root), base64(other)] }] }) === 1,
    () => rootsOf({ keys: [{ ...own(), x5c: [base64(root), 'AAAA'] }] }) !== 1,
  ],
]

const clock = createFakeClock({ now: NOW })
async function tokenIsFine(change: { header?: object; claims?: object; audience?: string; kid?: string } = {}): Promise<boolean> {
  const key = await createKey()
  const issuer = await createJwtSvidIssuer({ clock, key })
  const [jwk] = issuer.jwtAuthorities
  const now = NOW / 1000
  const claims = { sub: ID, aud: ['reports'], exp: now + 60, ...change.claims }
  const header = { alg: 'ES256', kid: String(jwk?.['kid']), ...change.header }
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(createPrivateKey(exportKey(key)))
  const bundles = trustBundles({ trustDomain: 'cluster.local', x509Authorities: [], jwtAuthorities: issuer.jwtAuthorities })
  return (await verifyJwtSvid(token, change.audience ?? 'reports', bundles, { now: NOW })).ok
}
const unsigned = (alg: string): string =>
  `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from(JSON.stringify({ sub: ID, aud: 'reports', exp: NOW })).toString('base64url')}.`
const isVerified = async (token: string): Promise<boolean> =>
  (
    await verifyJwtSvid(
      token,
      'reports',
      trustBundles({
        trustDomain: 'cluster.local',
        x509Authorities: [],
        jwtAuthorities: (await createJwtSvidIssuer({ clock })).jwtAuthorities,
      }),
      { now: NOW },
    )
  ).ok

const JWT_SVID: readonly Row[] = [
  [
    '§2 headers that it does not name are not there',
    () => tokenIsFine(),
    () => tokenIsFine({ header: { jku: 'https://evil.example' } }),
  ],
  ['§2.1 the algorithm is one of the nine', () => tokenIsFine({ header: { alg: 'ES256' } }), () => isVerified(unsigned('none'))],
  ['§2.1 never one of a shared secret', () => tokenIsFine(), () => isVerified(`${unsigned('HS256')}AAAA`)],
  [
    '§2.3 the type is JWT or JOSE',
    () => tokenIsFine({ header: { typ: 'JOSE' } }),
    () => tokenIsFine({ header: { typ: 'at+jwt' } }),
  ],
  ['§3.1 the subject is a SPIFFE ID', () => tokenIsFine(), () => tokenIsFine({ claims: { sub: 'cart' } })],
  ['§3.2 the audience is there', () => tokenIsFine(), () => tokenIsFine({ claims: { aud: undefined } })],
  [
    '§3.2 and is the one who checks',
    () => tokenIsFine({ claims: { aud: 'reports' } }),
    () => tokenIsFine({ audience: 'billing' }),
  ],
  ['§3.3 the end is there', () => tokenIsFine(), () => tokenIsFine({ claims: { exp: undefined } })],
  ['§3.3 and is to come', () => tokenIsFine(), () => tokenIsFine({ claims: { exp: NOW / 1000 - 1 } })],
  [
    "Workload API §6.3 the keys are the subject's trust domain's",
    () => tokenIsFine(),
    () => tokenIsFine({ claims: { sub: 'spiffe://other/a' } }),
  ],
]

describe.each([
  ['SPIFFE-ID', SPIFFE_ID],
  ['X509-SVID', X509_SVID],
  ['Trust Domain and Bundle', BUNDLE],
  ['JWT-SVID', JWT_SVID],
])('%s', (_, rows) => {
  it.each(rows)('%s', async (_rule, holds, fails) => {
    expect(await holds()).toBe(true)
    expect(await fails()).toBe(false)
  })
})

describe('what this CA issues', () => {
  it.each(['P-256', 'RSA-2048', 'Ed25519'] as const)('keeps the rules, with %s keys', async (algorithm) => {
    const authority = await createSelfSignedAuthority({ clock, algorithm })
    const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }
    const { certificateChain } = await issueIdentity(authority, workloadGrant(who), algorithm)
    const [der] = fromPem('CERTIFICATE', certificateChain)
    const [rootDer] = fromPem('CERTIFICATE', authority.trustBundle.current[0] ?? '')
    expect(readLeafSvid(der as Uint8Array)).toMatchObject({ ok: true, value: { spiffeId: ID } })
    // SPIFFE-ID §3.1: the authority carries an SVID of its own.
    const authorityId = uri('spiffe://cluster.local')
    expect(readSigningSvid(rootDer as Uint8Array)).toMatchObject({ ok: true, value: { names: [authorityId] } })
    const bundles = trustBundles({ trustDomain: 'cluster.local', x509Authorities: authority.trustBundle.current })
    expect(verifySvid([der as Uint8Array], bundles, { now: NOW })).toMatchObject({ ok: true, value: { spiffeId: ID } })
  })
})
