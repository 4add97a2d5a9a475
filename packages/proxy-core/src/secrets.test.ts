import { createWatch } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import type { Secret } from './config/compiled.js'
import { chainSecrets, createIdentitySecrets, createStaticSecrets, decodeSecret, type WorkloadIdentity } from './secrets.js'
import { OTHER_CHAIN, OWN_CHAIN, OWN_KEY } from './testing-certificates.js'

describe('the identity of a workload', () => {
  it("is served under Istio's two names, and again with each renewal", () => {
    const identity = createWatch<WorkloadIdentity | undefined>(undefined)
    const secrets = createIdentitySecrets(identity)
    const certificate = secrets.watch('default')
    const trust = secrets.watch('ROOTCA')
    expect([certificate.current, trust.current]).toEqual([undefined, undefined])
    const order: string[] = []
    certificate.subscribe(() => order.push('certificate'))
    trust.subscribe(() => order.push('trust'))
    identity.set({ certificateChain: 'C1', privateKey: 'K1', trustBundle: 'R1' })
    identity.set({ certificateChain: 'C2', privateKey: 'K2', trustBundle: 'R1' })
    expect(certificate.current).toEqual({ name: 'default', certificateChain: 'C2', privateKey: 'K2' })
    expect(trust.current).toEqual({ name: 'ROOTCA', trustBundle: 'R1' })
    expect(order).toEqual(['trust', 'certificate', 'certificate'])
    expect(secrets.watch('other').current).toBeUndefined()
    expect([secrets.owns?.('default'), secrets.owns?.('other')]).toEqual([true, false])
  })
})

describe('a chain of sources', () => {
  it('takes the first that has a value, at every moment', () => {
    const late = createWatch<Secret | undefined>(undefined)
    const chain = chainSecrets([{ watch: () => late }, createStaticSecrets([{ name: 'a', trustBundle: 'static' }])])
    const watch = chain.watch('a')
    expect(chain.watch('a')).toBe(watch)
    expect(watch.current?.trustBundle).toBe('static')
    late.set({ name: 'a', trustBundle: 'late' })
    expect(watch.current?.trustBundle).toBe('late')
    late.set(undefined)
    expect(watch.current?.trustBundle).toBe('static')
  })
})

describe('an SDS secret', () => {
  it('has certificate, key and trust from inline data and files', () => {
    const decoded = decodeSecret(
      {
        name: 's',
        tls_certificate: { certificate_chain: { filename: '/c' }, private_key: { inline_string: OWN_KEY } },
        validation_context: { trusted_ca: { inline_bytes: btoa(OTHER_CHAIN) } },
      } as object,
      'secret',
      { readFile: () => OWN_CHAIN },
    )
    const value = { name: 's', certificateChain: OWN_CHAIN, privateKey: OWN_KEY, trustBundle: OTHER_CHAIN }
    expect(decoded).toMatchObject({ ok: true, value })
  })

  it('of a Kubernetes Secret may bring an OCSP response, which is not stapled', () => {
    const text = (inline_string: string): object => ({ inline_string })
    const tls_certificate = {
      certificate_chain: text(OWN_CHAIN),
      private_key: text(OWN_KEY),
      ocsp_staple: { inline_bytes: 'MAA=' },
    }
    const decoded = decodeSecret({ name: 's', tls_certificate } as object, '', {})
    expect(decoded).toMatchObject({ ok: true, value: { certificateChain: OWN_CHAIN, privateKey: OWN_KEY } })
  })

  it.each([
    [
      'a file that is not there',
      { tls_certificate: { certificate_chain: { filename: '/c' } } },
      'secret.tls_certificate.certificate_chain.filename',
    ],
    [
      'a variable that is not set',
      { validation_context: { trusted_ca: { environment_variable: 'X' } } },
      'secret.validation_context.trusted_ca.environment_variable',
    ],
    ['another kind', { generic_secret: {} }, 'secret'],
  ])('is refused with %s', (_, message, path) => {
    const decoded = decodeSecret(message, 'secret', { readFile: () => undefined, environment: {} })
    expect(decoded.ok).toBe(false)
    expect(decoded.diagnostics[0]?.path).toBe(path)
  })
})
