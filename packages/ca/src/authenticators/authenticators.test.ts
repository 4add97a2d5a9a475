import { createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import { createFakeClock } from '@heddle/runtime/testing'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKey } from '../keys.js'
import { type Authenticator, firstOf, type Peer } from './authenticator.js'
import { createCertificateAuthenticator } from './client-certificate.js'
import { createFixedAuthenticator } from './fixed.js'
import { createJwtAuthenticator, identityOfClaims } from './jwt.js'
import { createTokenIssuer } from './token-issuer.js'

const clock = createFakeClock()
const now = Math.floor(clock.now() / 1000)
const uri = 'spiffe://cluster.local/ns/nolen/sa/apps'
const peer = (token?: string, uris: readonly string[] = []): Peer => ({
  address: 'test',
  uris,
  authorization: token === undefined ? [] : [`Bearer ${token}`],
})
const base64 = (value: object | Buffer): string =>
  Buffer.from(Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url')

const key = await createKey('RSA-2048')
const kid = 'one'
const jwks = { keys: [{ ...(await exportJWK(createPublicKey(key))), kid, alg: 'RS256' }] }
const authenticate = createJwtAuthenticator({
  clock,
  jwks: () => jwks,
  issuer: 'mesh',
  audiences: ['istio-ca', 'other'],
  trustDomain: 'cluster.local',
})
const claims = { iss: 'mesh', aud: 'istio-ca', sub: 'system:serviceaccount:nolen:apps', iat: now, exp: now + 600 }

function sign(change: Record<string, unknown>, header: Record<string, unknown> = {}, by: KeyObject = key): Promise<string> {
  return new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(by)
}

describe('a signed token', () => {
  it('proves the service account', async () => {
    expect(await authenticate(peer(await sign({})))).toMatchObject({ ok: true, value: { identities: [uri], method: 'jwt' } })
    expect(await authenticate(peer(await sign({ aud: ['x', 'other'] })))).toMatchObject({ ok: true })
    expect(await authenticate(peer(await sign({ sub: uri })))).toMatchObject({ ok: true, value: { identities: [uri] } })
  })

  it('is what the issuer beside it makes, for as long as it says', async () => {
    const clock = createFakeClock()
    const issuer = await createTokenIssuer({ clock, issuer: 'mesh', audience: 'istio-ca' })
    const check = createJwtAuthenticator({
      clock,
      jwks: async () => issuer.jwks,
      issuer: 'mesh',
      audiences: ['istio-ca'],
      trustDomain: 'cluster.local',
    })
    const token = await issuer.issue({ namespace: 'nolen', serviceAccount: 'apps' }, 600_000)
    expect(await check(peer(token))).toMatchObject({ ok: true, value: { identities: [uri] } })
    clock.advance(661_000)
    expect(await check(peer(token))).toMatchObject({ ok: false })
  })

  it.each<[string, () => Promise<string>]>([
    ['of another issuer', () => sign({ iss: 'other' })],
    ['with a list of issuers (ISTIO-SECURITY-2021-008)', () => sign({ iss: ['mesh', 'other'] })],
    ['for audiences of others only (ISTIO-SECURITY-2021-008)', () => sign({ aud: ['api', 'web'] })],
    ['for another audience', () => sign({ aud: 'api' })],
    ['that has expired', () => sign({ exp: now - 61 })],
    ['without an end', () => sign({ exp: undefined })],
    ['not valid yet', () => sign({ nbf: now + 86_400 })],
    ['signed by another key', async () => sign({}, {}, await createKey('RSA-2048'))],
    ['of another kid', () => sign({}, { kid: 'two' })],
    [
      'that brings its own key (CVE-2018-0114)',
      async () => {
        const own = await createKey('RSA-2048')
        return sign({}, { kid: undefined, jwk: await exportJWK(createPublicKey(own)) }, own)
      },
    ],
    ['with alg none (CVE-2022-23540)', async () => `${base64({ alg: 'none' })}.${base64(claims)}.`],
    [
      'with the public key as a shared secret (CVE-2016-10555)',
      async () => {
        const head = `${base64({ alg: 'HS256', kid })}.${base64(claims)}`
        const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' })
        return `${head}.${base64(createHmac('sha256', secret).update(head).digest())}`
      },
    ],
    ['whose subject is no workload', () => sign({ sub: 'admin' })],
    ['of another trust domain', () => sign({ sub: 'spiffe://other/ns/nolen/sa/apps' })],
    ['whose names break out of the identity', () => sign({ sub: 'system:serviceaccount:nolen:apps/../istiod' })],
    ['that is no token', async () => 'abc'],
    ['that is too long', async () => 'a'.repeat(20_000)],
  ])('%s is refused', async (_, token) => {
    expect(await authenticate(peer(await sign({})))).toMatchObject({ ok: true })
    expect(await authenticate(peer(await token()))).toMatchObject({ ok: false, diagnostics: [{ code: 'ca.unauthenticated' }] })
  })

  it('cannot be two, and proves nobody while its keys cannot be had (CVE-2026-31837)', async () => {
    const token = await sign({})
    expect(await authenticate({ ...peer(), authorization: [`Bearer ${token}`, `Bearer ${token}`] })).toMatchObject({ ok: false })
    const offline = createJwtAuthenticator({
      clock,
      jwks: () => Promise.reject(new Error('no keys')),
      issuer: 'mesh',
      audiences: ['istio-ca'],
      trustDomain: 'cluster.local',
    })
    expect(await offline(peer(token))).toMatchObject({
      ok: false,
      diagnostics: [{ message: expect.stringContaining('no keys') }],
    })
  })

  it("names Kubernetes' claim before the subject", () => {
    const kubernetes = { namespace: 'a', serviceaccount: { name: 'b' } }
    expect(identityOfClaims({ sub: 'x', 'kubernetes.io': kubernetes }, 'td')).toBe('spiffe://td/ns/a/sa/b')
    expect(identityOfClaims({ sub: 'x', 'kubernetes.io': { namespace: 5 } }, 'td')).toBeUndefined()
  })
})

describe('the others', () => {
  const certificate = createCertificateAuthenticator()

  it('take exactly one workload identity of a client certificate', async () => {
    expect(await certificate(peer(undefined, [uri]))).toMatchObject({ ok: true, value: { identities: [uri] } })
    for (const uris of [[], [uri, uri], ['https://example.com'], ['spiffe://cluster.local']])
      expect((await certificate(peer(undefined, uris))).ok).toBe(false)
  })

  it('are asked in turn, and all reasons are told', async () => {
    const fixed = createFixedAuthenticator(
      new Map([['secret', { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'apps' }]]),
    )
    const both: Authenticator = firstOf([certificate, fixed])
    expect(await both(peer('secret'))).toMatchObject({ ok: true, value: { identities: [uri], method: 'fixed' } })
    expect(await both(peer('wrong'))).toMatchObject({
      ok: false,
      diagnostics: [{ message: 'no client certificate; the token is not one of the fixed ones' }],
    })
  })
})
