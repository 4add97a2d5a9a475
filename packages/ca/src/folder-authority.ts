import path from 'node:path'
import { type Clock, formatDiagnostic, type Unsubscribe } from '@heddle/runtime'
import { type AuthorityOptions, CaError, createAuthority, type ReplaceableAuthority } from './authority.js'
import { readIfThere, readPluggedInFolder, replaceCaFile } from './ca-folder.js'
import type { Revocation } from './crl.js'
import { openPluggedIn, type PluggedInFiles } from './plugged-in.js'
import type { RevocationStore, Revocations } from './revocations.js'

/** An authority, and the files that it was opened with, for `watchPluggedIn`. */
export interface FolderAuthority {
  readonly authority: ReplaceableAuthority
  readonly files: PluggedInFiles
}

/**
 * The CA of a folder: Istio's `cacerts`, or one that `createFolderStore` or `heddle ca init` has made.
 * @throws CaError `ca.plugged_in` when the files are not a CA that can sign.
 */
export async function openFolderAuthority(folder: string, options: AuthorityOptions): Promise<FolderAuthority> {
  const files = await readPluggedInFolder(folder)
  const opened = await openPluggedIn(files, options.clock.now())
  if (!opened.ok) throw new CaError('ca.plugged_in', `${folder}: ${opened.diagnostics.map(formatDiagnostic).join('; ')}`)
  return { authority: createAuthority(opened.value.signer, opened.value.trustBundle, options), files }
}

const REVOKED = 'revoked.json'

/** Keeps what is revoked in `revoked.json` of a CA folder. */
export function createFolderRevocationStore(folder: string): RevocationStore {
  return {
    async load() {
      const text = await readIfThere(path.join(folder, REVOKED))
      return text === undefined ? [] : (JSON.parse(text) as Revocation[])
    },
    save: (revoked) => replaceCaFile(folder, REVOKED, `${JSON.stringify(revoked, undefined, 2)}\n`),
  }
}

/** What is revoked in a CA folder by others (`heddle ca revoke`), read every `pollMs` (default 5 s). A file that cannot be read changes nothing. */
export async function watchFolderRevocations(
  folder: string,
  { clock, pollMs = 5000 }: { readonly clock: Clock; readonly pollMs?: number },
): Promise<Pick<Revocations, 'isRevoked' | 'close'>> {
  const store = createFolderRevocationStore(folder)
  let serials: ReadonlySet<string> = new Set((await store.load()).map(({ serial }) => serial))
  let cancel: Unsubscribe = () => {}
  let closed = false
  const look = async (): Promise<void> => {
    const revoked = await store.load().catch(() => undefined)
    if (revoked !== undefined) serials = new Set(revoked.map(({ serial }) => serial))
    if (!closed) cancel = clock.after(pollMs, () => void look())
  }
  cancel = clock.after(pollMs, () => void look())
  return {
    isRevoked: (serial) => serials.has(serial),
    close() {
      closed = true
      cancel()
    },
  }
}
