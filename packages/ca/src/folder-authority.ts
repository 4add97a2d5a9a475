import path from 'node:path'
import { formatDiagnostic } from '@heddle/runtime'
import { type AuthorityOptions, CaError, createAuthority, type ReplaceableAuthority } from './authority.js'
import { readIfThere, readPluggedInFolder, replaceCaFile } from './ca-folder.js'
import type { Revocation } from './crl.js'
import { openPluggedIn, type PluggedInFiles } from './plugged-in.js'
import type { RevocationStore } from './revocations.js'

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
