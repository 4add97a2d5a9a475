import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createCrl, type Revocation, readCrl } from './crl.js'
import { workloadGrant } from './grants.js'
import { issueIdentity } from './issue.js'
import { fromPem } from './pem.js'
import { createRevocations } from './revocations.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { trustBundles } from './trust-bundle.js'
import { verifySvid } from './verify.js'
import { readX509, type X509View } from './x509.js'

const DAY = 86_400_000
const clock = createFakeClock({ now: Date.UTC(2026, 10, 21) })
const view = (pem: string | undefined): X509View => {
  const read = readX509(fromPem('CERTIFICATE', pem ?? '')[0] as Uint8Array)
  if (!read.ok) throw new Error(read.diagnostics[0]?.message)
  return read.value
}
const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }

it('a list says who is revoked, and why', async () => {
  const authority = await createSelfSignedAuthority({ clock })
  const revoked: Revocation[] = [
    { serial: 'a1', at: clock.now() },
    { serial: '80ff', at: clock.now(), reason: 'keyCompromise' },
  ]
  const der = createCrl(authority.signer.current, {
    revoked,
    number: 300,
    thisUpdate: clock.now(),
    nextUpdate: clock.now() + DAY,
  })
  const root = view(authority.trustBundle.current[0])
  const read = readCrl(der, root)
  expect(read).toMatchObject({ ok: true, value: { number: 300, thisUpdate: clock.now(), nextUpdate: clock.now() + DAY } })
  expect(read.ok && [...read.value.revoked.values()]).toEqual(revoked)
})

it('a list of another CA, one that was changed, and one that is none are refused', async () => {
  const [authority, stranger] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
  const content = { revoked: [{ serial: '1', at: 0 }], number: 1, thisUpdate: 0, nextUpdate: DAY }
  const root = view(authority.trustBundle.current[0])
  const own = createCrl(authority.signer.current, content)
  const changed = own.slice()
  changed[changed.length - 1]! ^= 1
  expect(readCrl(own, root).ok).toBe(true)
  expect(readCrl(createCrl(stranger.signer.current, content), root)).toMatchObject({
    ok: false,
    diagnostics: [{ code: 'ca.crl' }],
  })
  expect(readCrl(changed, root).ok).toBe(false)
  expect(readCrl(Uint8Array.of(0x30, 0), root).ok).toBe(false)
})

it('10,000 entries go into a list and out of it', async () => {
  const authority = await createSelfSignedAuthority({ clock })
  const revoked = Array.from({ length: 10_000 }, (_, i) => ({ serial: (i + 1).toString(16), at: 0 }))
  const read = readCrl(
    createCrl(authority.signer.current, { revoked, number: 1, thisUpdate: 0, nextUpdate: DAY }),
    view(authority.trustBundle.current[0]),
  )
  expect(read.ok && read.value.revoked.size).toBe(10_000)
})

it('what is revoked is refused from then on, after a restart too, and the list is signed anew in time', async () => {
  const clock = createFakeClock({ now: Date.UTC(2026, 10, 21) })
  const authority = await createSelfSignedAuthority({ clock })
  const { certificateChain } = await issueIdentity(authority, workloadGrant(who))
  const [leaf] = fromPem('CERTIFICATE', certificateChain)
  const root = view(authority.trustBundle.current[0])
  let kept: readonly Revocation[] = []
  const store = {
    load: async () => kept,
    save: async (revoked: readonly Revocation[]) => {
      kept = revoked
    },
  }
  const first = await createRevocations({ authority, clock, store })
  const listOf = (pem: string): ReturnType<typeof readCrl> => readCrl(fromPem('X509 CRL', pem)[0] as Uint8Array, root)
  const verdict = (pem: string): string => {
    const list = listOf(pem)
    const bundles = trustBundles({ trustDomain: 'cluster.local', x509Authorities: authority.trustBundle.current })
    const result = verifySvid([leaf as Uint8Array], bundles, { now: clock.now(), revocations: list.ok ? [list.value] : [] })
    return result.ok ? 'good' : (result.diagnostics[0]?.code ?? '')
  }
  expect(verdict(first.crl.current)).toBe('good')
  const serial = view(certificateChain).serial
  await first.revoke(serial.toUpperCase().replace(/(..)/g, '$1:').replace(/:$/, ''), 'keyCompromise')
  expect(first.isRevoked(serial)).toBe(true)
  expect(verdict(first.crl.current)).toBe('ca.revoked')
  await expect(first.revoke('not hexadecimal')).rejects.toThrow('serial number')
  const numbers = [listOf(first.crl.current)]
  const before = first.crl.current
  clock.advance(DAY / 2)
  expect(first.crl.current).not.toBe(before)
  numbers.push(listOf(first.crl.current))
  first.close()
  expect(clock.pending).toBe(0)
  const second = await createRevocations({ authority, clock, store })
  expect(verdict(second.crl.current)).toBe('ca.revoked')
  second.close()
  const [a, b] = numbers.map((read) => (read.ok ? (read.value.number ?? 0) : 0))
  expect(b).toBeGreaterThan(a as number)
})
