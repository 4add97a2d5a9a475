import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CaError,
  createFolderRevocationStore,
  createFolderRotation,
  createFolderStore,
  createRevocations,
  createSelfSignedAuthority,
  type FolderAuthority,
  issueIdentity,
  openFolderAuthority,
  type PluggedInFiles,
  readPluggedInFolder,
  splitCertificates,
  watchFolderRevocations,
  watchPluggedIn,
  workloadGrant,
} from '../src/index.js'

/** Files are read, and keys checked, between one look and the next. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000 })
const DAY = 86_400_000
const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }
let base: string
let folder: string
const clock = createFakeClock({ now: Date.UTC(2026, 10, 21) })
beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'heddle-rotation-'))
  folder = path.join(base, 'ca')
  await makeCa(folder)
})
afterEach(() => rm(base, { recursive: true }))

async function makeCa(at: string): Promise<PluggedInFiles> {
  await createSelfSignedAuthority({ clock, store: createFolderStore(at) })
  return readPluggedInFolder(at)
}
const rootsNow = async (): Promise<string[]> => splitCertificates((await readPluggedInFolder(folder)).rootCert)
const signerNow = async (): Promise<string> => (await readPluggedInFolder(folder)).caCert
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: CaError) => error.code,
  )

describe('a CA folder changes its root', () => {
  it('in three phases; whoever follows it takes each, and the key stays its owner’s', async () => {
    const old = await readPluggedInFolder(folder)
    const next = await makeCa(path.join(base, 'new'))
    // A root of another cluster, which stays.
    const { rootCert: other } = await makeCa(path.join(base, 'other'))
    await writeFile(path.join(folder, 'root-cert.pem'), old.rootCert + other)
    const { authority, files }: FolderAuthority = await openFolderAuthority(folder, { clock })
    let changes = 0
    const watched = watchPluggedIn({ folder, opened: files, authority, clock, changed: () => changes++ })
    const followed = async (count: number): Promise<void> => {
      await soon(() => {
        clock.advance(5000)
        expect(changes).toBe(count)
      })
    }
    const issuer = async (): Promise<string> => {
      const { certificateChain } = await issueIdentity(authority, workloadGrant(who))
      const signedBy = (pem: string): boolean => new X509Certificate(certificateChain).verify(new X509Certificate(pem).publicKey)
      return signedBy(next.caCert) ? 'new' : signedBy(old.caCert) ? 'old' : 'neither'
    }
    const rotation = createFolderRotation({ folder, clock })
    await rotation.trustBoth(next)
    await followed(1)
    expect([await rotation.phase(), await issuer(), authority.trustBundle.current.length]).toEqual(['trust-both', 'old', 3])

    await rotation.signNew()
    await followed(2)
    expect([await rotation.phase(), await issuer(), authority.trustBundle.current.length]).toEqual(['sign-new', 'new', 3])
    expect((await stat(path.join(folder, 'ca-key.pem'))).mode & 0o777).toBe(0o600)

    expect(await code(rotation.dropOld())).toBe('ca.rotation')
    clock.advance(DAY)
    await rotation.dropOld()
    await followed(3)
    watched.close()
    expect(await rotation.phase()).toBe('stable')
    expect([...authority.trustBundle.current].sort()).toEqual(
      [...splitCertificates(next.rootCert), ...splitCertificates(other)].sort(),
    )
    expect((await readdir(folder)).sort()).toEqual(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'])
  })

  it('and back, from either phase; steps out of turn are refused', async () => {
    const [old, next] = [await readPluggedInFolder(folder), await makeCa(path.join(base, 'new'))]
    const rotation = createFolderRotation({ folder, clock })
    for (const step of [rotation.signNew, rotation.dropOld, rotation.abort]) expect(await code(step())).toBe('ca.rotation')
    await rotation.trustBoth(next)
    expect(await code(rotation.trustBoth(next))).toBe('ca.rotation')
    await rotation.abort()
    expect(await readPluggedInFolder(folder)).toEqual(old)
    await rotation.trustBoth(next)
    await rotation.signNew()
    expect(await signerNow()).toBe(next.caCert)
    await rotation.abort()
    expect(await readPluggedInFolder(folder)).toEqual(old)
    expect(await rootsNow()).toHaveLength(1)
  })

  it('not to something that is no CA', async () => {
    const next = await makeCa(path.join(base, 'new'))
    const rotation = createFolderRotation({ folder, clock })
    expect(await code(rotation.trustBoth({ ...next, caKey: 'none' }))).toBe('ca.plugged_in')
    expect(await rotation.phase()).toBe('stable')
  })
})

describe('a folder that is followed', () => {
  it('half way through a change leaves the authority as it is', async () => {
    const { authority, files } = await openFolderAuthority(folder, { clock })
    const next = await makeCa(path.join(base, 'new'))
    const signer = authority.signer.current
    const logged: unknown[] = []
    const logger = { debug: () => {}, info: () => {}, error: () => {}, warn: (fields: unknown) => logged.push(fields) }
    const watched = watchPluggedIn({ folder, opened: files, authority, clock, logger: logger as never })
    await writeFile(path.join(folder, 'ca-key.pem'), next.caKey)
    await soon(() => {
      clock.advance(5000)
      expect(logged).toHaveLength(1)
    })
    expect(authority.signer.current).toBe(signer)
    for (const [name, text] of [
      ['ca-cert.pem', next.caCert],
      ['cert-chain.pem', next.certChain],
      ['root-cert.pem', next.rootCert],
    ] as const)
      await writeFile(path.join(folder, name), text)
    await soon(() => {
      clock.advance(5000)
      expect(authority.signer.current).not.toBe(signer)
    })
    watched.close()
  })

  it('that is no CA is not opened', async () => {
    await writeFile(path.join(folder, 'ca-cert.pem'), 'nothing')
    expect(await code(openFolderAuthority(folder, { clock }))).toBe('ca.plugged_in')
  })

  it('keeps what is revoked', async () => {
    const { authority } = await openFolderAuthority(folder, { clock })
    const store = createFolderRevocationStore(folder)
    const first = await createRevocations({ authority, clock, store })
    const watched = await watchFolderRevocations(folder, { clock })
    await first.revoke('0A:1B', 'keyCompromise')
    first.close()
    await soon(() => {
      clock.advance(5000)
      expect(watched.isRevoked('a1b')).toBe(true)
    })
    watched.close()
    const second = await createRevocations({ authority, clock, store })
    expect(second.revoked).toEqual([{ serial: 'a1b', at: expect.any(Number), reason: 'keyCompromise' }])
    second.close()
  })
})
