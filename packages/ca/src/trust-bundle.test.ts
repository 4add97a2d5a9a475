import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { workloadGrant } from './grants.js'
import { issueIdentity } from './issue.js'
import { fromPem } from './pem.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { readPemBundle, readSpiffeBundle, type TrustBundle, trustBundles, writeSpiffeBundle } from './trust-bundle.js'
import { verifySvid } from './verify.js'

const clock = createFakeClock()

async function domain(trustDomain: string): Promise<{ bundle: TrustBundle; chain: Uint8Array[] }> {
  const authority = await createSelfSignedAuthority({ clock, trustDomain })
  const { certificateChain } = await issueIdentity(authority, workloadGrant({ trustDomain, namespace: 'a', serviceAccount: 'b' }))
  return {
    bundle: { trustDomain, x509Authorities: authority.trustBundle.current },
    chain: fromPem('CERTIFICATE', certificateChain),
  }
}

describe('trust bundles', () => {
  it('of several trust domains vouch each for their own', async () => {
    const [one, two, stranger] = [await domain('one.example'), await domain('two.example'), await domain('two.example')]
    const bundles = trustBundles(one.bundle, two.bundle)
    const codeOf = (chain: Uint8Array[]): string => {
      const result = verifySvid(chain, bundles, { now: clock.now() })
      return result.ok ? result.value.spiffeId : (result.diagnostics[0]?.code ?? '')
    }
    expect(codeOf(one.chain)).toBe('spiffe://one.example/ns/a/sa/b')
    expect(codeOf(two.chain)).toBe('spiffe://two.example/ns/a/sa/b')
    expect(codeOf(stranger.chain)).toBe('ca.untrusted')
    // A CA that is trusted for its own domain cannot name workloads of another.
    const liar = await createSelfSignedAuthority({ clock, trustDomain: 'one.example' })
    const forged = await issueIdentity(liar, workloadGrant({ trustDomain: 'two.example', namespace: 'a', serviceAccount: 'b' }))
    const trusted = trustBundles({ trustDomain: 'one.example', x509Authorities: liar.trustBundle.current }, two.bundle)
    expect(verifySvid(fromPem('CERTIFICATE', forged.certificateChain), trusted, { now: clock.now() })).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'ca.untrusted' }],
    })
  })

  it('of one trust domain are added up: several roots', async () => {
    const [east, west] = [await domain('mesh.example'), await domain('mesh.example')]
    const bundles = trustBundles(east.bundle, west.bundle, east.bundle)
    expect(bundles.get('mesh.example')?.x509Authorities).toHaveLength(2)
    for (const { chain } of [east, west]) expect(verifySvid(chain, bundles, { now: clock.now() }).ok).toBe(true)
  })

  it.each(['P-256', 'P-384', 'RSA-2048', 'Ed25519'] as const)(
    'with a %s root are published and read again',
    async (algorithm) => {
      const authority = await createSelfSignedAuthority({ clock, algorithm })
      const bundle: TrustBundle = {
        trustDomain: 'cluster.local',
        x509Authorities: authority.trustBundle.current,
        sequence: 12,
        refreshHintSeconds: 300,
      }
      expect(readSpiffeBundle('cluster.local', writeSpiffeBundle(bundle))).toMatchObject({ ok: true, value: bundle })
    },
  )

  it('never publish what makes a key private', async () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'secret', kid: 'k' }
    expect(writeSpiffeBundle({ trustDomain: 'td', x509Authorities: [], jwtAuthorities: [jwk] })).not.toContain('secret')
  })

  it('in PEM hold CAs only', async () => {
    const { bundle, chain } = await domain('td')
    const pem = bundle.x509Authorities.join('')
    expect(readPemBundle('td', `# a comment\n${pem}${pem}`)).toEqual({ ok: true, value: bundle, diagnostics: [] })
    const { toPem } = await import('./pem.js')
    for (const [trustDomain, text] of [
      ['td', toPem('CERTIFICATE', chain[0] as Uint8Array)],
      ['td', 'nothing'],
      ['TD', pem],
    ] as const)
      expect(readPemBundle(trustDomain, text)).toMatchObject({ ok: false, diagnostics: [{ code: 'ca.bundle' }] })
  })
})
