import { X509Certificate } from 'node:crypto'
import { createFakeClock, type FakeClock } from '@heddle/runtime/testing'
import { describe, expect, it, vi } from 'vitest'
import { workloadGrant } from './grants.js'
import { createRootRotation } from './rotation.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { createServerCertificate, createWorkloadCertificate, type SignedChain } from './workload-certificate.js'

const HOUR = 3_600_000
const workload = { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'apps' }
const half = { next: () => 0.5 }

async function signerOf(clock: FakeClock, ttlMs: number): Promise<(csr: Uint8Array) => Promise<SignedChain>> {
  const authority = await createSelfSignedAuthority({ clock })
  return async (csr) => ({
    chain: await authority.sign(csr, workloadGrant(workload, ttlMs)),
    trustBundle: authority.trustBundle.current,
  })
}

/** Keys are made in threads, which a fake clock does not wait for. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 2 })

describe('a workload certificate', () => {
  it('is there soon, and is renewed with another key at half its life', async () => {
    const clock = createFakeClock()
    const request = vi.fn(await signerOf(clock, 24 * HOUR))
    const certificate = createWorkloadCertificate({ clock, random: half, request })
    const first = await certificate.ready()
    expect(first.spiffeId).toBe('spiffe://cluster.local/ns/nolen/sa/apps')
    expect(first.notAfter).toBe(clock.now() + 24 * HOUR)
    clock.advance(12 * HOUR - 1)
    expect(request).toHaveBeenCalledTimes(1)
    clock.advance(1)
    await eventually(() => expect(certificate.identity.current).not.toBe(first))
    expect(certificate.identity.current?.privateKey).not.toBe(first.privateKey)
    expect(certificate.identity.current?.notAfter).toBe(clock.now() + 24 * HOUR)
    certificate.close()
    expect(clock.pending).toBe(0)
  })

  it('keeps the one that is valid while renewals fail, and takes the first that works', async () => {
    const clock = createFakeClock()
    const sign = await signerOf(clock, HOUR)
    let down = false
    let calls = 0
    const certificate = createWorkloadCertificate({
      clock,
      random: half,
      request: async (csr) => {
        calls++
        if (down) throw new Error('no CA')
        return sign(csr)
      },
    })
    const first = await certificate.ready()
    down = true
    clock.advance(HOUR / 2)
    await eventually(() => expect(calls).toBe(2))
    await eventually(() => expect(clock.pending).toBe(1))
    clock.advance(250)
    await eventually(() => expect(calls).toBe(3))
    await eventually(() => expect(clock.pending).toBe(1))
    expect(certificate.identity.current).toBe(first)
    down = false
    clock.advance(500)
    await eventually(() => expect(certificate.identity.current).not.toBe(first))
    certificate.close()
  })

  it('refuses a certificate that is not for its key, and one that has no roots with it', async () => {
    const clock = createFakeClock()
    const sign = await signerOf(clock, HOUR)
    const { createCsr } = await import('./csr.js')
    const { createKey } = await import('./keys.js')
    const foreign = await sign(createCsr(await createKey()))
    for (const answer of [async () => foreign, async (csr: Uint8Array) => ({ ...(await sign(csr)), trustBundle: [] })]) {
      const request = vi.fn(answer)
      const certificate = createWorkloadCertificate({ clock, random: half, request })
      await eventually(() => expect(clock.pending).toBe(1))
      expect(certificate.identity.current).toBeUndefined()
      certificate.close()
      await expect(certificate.ready()).rejects.toThrow('closed')
    }
  })
})

describe('a server beside its authority', () => {
  it('has a certificate of the new CA, and its roots, as soon as the authority changes', async () => {
    const clock = createFakeClock()
    const [authority, next] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
    const rotation = createRootRotation({ authority, clock })
    const names = [{ dns: 'istiod.istio-system.svc' }]
    const certificate = createServerCertificate({ authority, names, clock, random: half })
    const signedByNext = (): boolean =>
      new X509Certificate(certificate.identity.current?.certificateChain ?? '').verify(
        new X509Certificate(next.trustBundle.current[0] as string).publicKey,
      )
    await certificate.ready()
    rotation.trustBoth({ signer: next.signer.current, trustBundle: next.trustBundle.current })
    await eventually(() => expect(certificate.identity.current?.trustBundle).toBe(authority.trustBundle.current.join('')))
    expect(signedByNext()).toBe(false)
    rotation.signNew()
    await eventually(() => expect(signedByNext()).toBe(true))
    rotation.dropOld({ force: true })
    await eventually(() => expect(certificate.identity.current?.trustBundle).toBe(next.trustBundle.current.join('')))
    certificate.close()
    await eventually(() => expect(clock.pending).toBe(0))
  })
})
