import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { systemClock } from '@heddle/runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createFolderStore,
  createKey,
  createSelfSignedAuthority,
  exportKey,
  openPluggedIn,
  readPluggedInFolder,
} from '../src/index.js'

const clock = systemClock
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'heddle-ca-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a folder', () => {
  it('keeps the root, its key for the owner only', async () => {
    const store = createFolderStore(path.join(folder, 'ca'))
    const first = await createSelfSignedAuthority({ clock, store })
    const second = await createSelfSignedAuthority({ clock, store })
    expect(second.trustBundle.current).toEqual(first.trustBundle.current)
    expect((await stat(path.join(folder, 'ca/ca-key.pem'))).mode & 0o777).toBe(0o600)
  })

  it('ends with one root when two start at once', async () => {
    const store = createFolderStore(folder)
    const all = await Promise.all(Array.from({ length: 5 }, () => createSelfSignedAuthority({ clock, store })))
    const kept = await readFile(path.join(folder, 'ca-cert.pem'), 'utf8')
    for (const { trustBundle } of all) expect(trustBundle.current).toEqual([kept])
    expect(await readdir(path.dirname(folder))).not.toContainEqual(expect.stringContaining(`${path.basename(folder)}.new-`))
  })

  it('that holds nothing lacks its certificate first, however often it is asked for', async () => {
    for (let i = 0; i < 100; i++)
      await expect(readPluggedInFolder(folder)).rejects.toMatchObject({ code: 'ENOENT', path: path.join(folder, 'ca-cert.pem') })
  })

  it('that holds a key without a certificate is left alone', async () => {
    await writeFile(path.join(folder, 'ca-key.pem'), 'precious')
    await expect(createSelfSignedAuthority({ clock, store: createFolderStore(folder) })).rejects.toThrow()
    expect(await readFile(path.join(folder, 'ca-key.pem'), 'utf8')).toBe('precious')
  })

  it('can be plugged in as cacerts', async () => {
    const authority = await createSelfSignedAuthority({ clock, store: createFolderStore(folder) })
    const files = await readPluggedInFolder(folder)
    const opened = await openPluggedIn(files, clock.now())
    expect(opened).toMatchObject({ ok: true, value: { trustBundle: authority.trustBundle.current, signer: { chain: [] } } })
  })

  it('is refused with the file that is wrong', async () => {
    await createSelfSignedAuthority({ clock, store: createFolderStore(folder) })
    const files = await readPluggedInFolder(folder)
    const other = await createSelfSignedAuthority({ clock })
    const wrong = async (change: Partial<typeof files>, now = clock.now()): Promise<string | undefined> => {
      const opened = await openPluggedIn({ ...files, ...change }, now)
      return opened.ok ? undefined : opened.diagnostics[0]?.path
    }
    expect(await wrong({ caKey: exportKey(await createKey()) })).toBe('ca-key.pem')
    expect(await wrong({ caKey: 'no key' })).toBe('ca-key.pem')
    expect(await wrong({ caCert: 'no certificate' })).toBe('ca-cert.pem')
    expect(await wrong({}, clock.now() + 20 * 365 * 86_400_000)).toBe('ca-cert.pem')
    expect(await wrong({ rootCert: other.trustBundle.current.join('') })).toBe('cert-chain.pem')
    await writeFile(path.join(folder, 'root-cert.pem'), '')
    expect(await wrong({ rootCert: '' })).toBe('root-cert.pem')
  })
})
