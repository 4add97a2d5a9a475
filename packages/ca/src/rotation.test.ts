import { X509Certificate } from 'node:crypto'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { type CaError, createAuthority, type ReplaceableAuthority } from './authority.js'
import { workloadGrant } from './grants.js'
import { issueIdentity } from './issue.js'
import { fromPem } from './pem.js'
import { createRootRotation, type NextAuthority } from './rotation.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { trustBundles } from './trust-bundle.js'
import { verifySvid } from './verify.js'

const HOUR = 3_600_000
const clock = createFakeClock({ now: Date.UTC(2026, 10, 21) })
const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }

async function newCa(): Promise<NextAuthority> {
  const { signer, trustBundle } = await createSelfSignedAuthority({ clock })
  return { signer: signer.current, trustBundle: trustBundle.current }
}
const leafOf = async (authority: ReplaceableAuthority): Promise<string> =>
  (await issueIdentity(authority, workloadGrant(who, HOUR))).certificateChain
const trusts = (authority: ReplaceableAuthority, chain: string): boolean =>
  verifySvid(
    fromPem('CERTIFICATE', chain),
    trustBundles({ trustDomain: 'cluster.local', x509Authorities: authority.trustBundle.current }),
    { now: clock.now() },
  ).ok
const codeOf = (run: () => void): string => {
  try {
    run()
    return 'no error'
  } catch (error) {
    return (error as CaError).code
  }
}

it('trusts both, signs with the new one, drops the old one; at no time is a certificate in use not trusted', async () => {
  const [old, next] = [await newCa(), await newCa()]
  const authority = createAuthority(old.signer, old.trustBundle, { clock })
  const rotation = createRootRotation({ authority, clock })
  const isNew = (chain: string): boolean =>
    new X509Certificate(chain).verify(new X509Certificate(next.trustBundle[0] as string).publicKey)
  const before = await leafOf(authority)

  rotation.trustBoth(next)
  expect(rotation.phase.current).toBe('trust-both')
  expect(authority.trustBundle.current).toEqual([...old.trustBundle, ...next.trustBundle])
  const during = await leafOf(authority)
  expect([isNew(during), trusts(authority, before), trusts(authority, during)]).toEqual([false, true, true])

  rotation.signNew()
  expect(rotation.phase.current).toBe('sign-new')
  const after = await leafOf(authority)
  expect([isNew(after), trusts(authority, during), trusts(authority, after)]).toEqual([true, true, true])

  expect(codeOf(() => rotation.dropOld())).toBe('ca.rotation')
  clock.advance(HOUR)
  const fresh = await leafOf(authority)
  rotation.dropOld()
  expect(rotation.phase.current).toBe('stable')
  expect(authority.trustBundle.current).toEqual(next.trustBundle)
  expect([trusts(authority, during), trusts(authority, fresh)]).toEqual([false, true])
})

it('goes back from either phase, and refuses phases out of turn', async () => {
  const [old, next] = [await newCa(), await newCa()]
  const authority = createAuthority(old.signer, old.trustBundle, { clock })
  const rotation = createRootRotation({ authority, clock })
  for (const run of [rotation.signNew, rotation.dropOld, rotation.abort, () => rotation.trustBoth({ ...next, trustBundle: [] })])
    expect(codeOf(() => run())).toBe('ca.rotation')
  rotation.trustBoth(next)
  expect(codeOf(() => rotation.trustBoth(next))).toBe('ca.rotation')
  expect(codeOf(() => rotation.dropOld())).toBe('ca.rotation')
  rotation.abort()
  expect(authority.trustBundle.current).toEqual(old.trustBundle)
  rotation.trustBoth(next)
  rotation.signNew()
  rotation.abort()
  expect([authority.signer.current, authority.trustBundle.current]).toEqual([old.signer, old.trustBundle])
  rotation.trustBoth(next)
  rotation.signNew()
  await leafOf(authority)
  rotation.dropOld({ force: true })
  expect(authority.trustBundle.current).toEqual(next.trustBundle)
})
