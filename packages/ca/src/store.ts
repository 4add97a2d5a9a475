import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** A root and its key, PEM. */
export interface RootMaterial {
  readonly certificate: string
  readonly privateKey: string
}

/** Where a self-signed root is kept, so that a restart keeps it: a folder, a Kubernetes Secret, memory. */
export interface RootStore {
  load(): Promise<RootMaterial | undefined>
  /** The first to save wins: what is then stored is returned, so that replicas that start together end with one root. */
  save(root: RootMaterial): Promise<RootMaterial>
}

/** Keeps nothing beyond the process. */
export function createMemoryStore(): RootStore {
  let kept: RootMaterial | undefined
  return {
    load: async () => kept,
    save: async (root) => (kept ??= root),
  }
}

const FILES = { certificate: 'ca-cert.pem', privateKey: 'ca-key.pem', root: 'root-cert.pem', chain: 'cert-chain.pem' } as const

/**
 * A folder with Istio's file names (`ca-cert.pem`, `ca-key.pem`, `root-cert.pem`, `cert-chain.pem`); the key is readable by its
 * owner only. A key that is there is never overwritten: `save` fails when the folder holds other things but no root.
 */
export function createFolderStore(folder: string): RootStore {
  const load = async (): Promise<RootMaterial | undefined> => {
    const [certificate, privateKey] = await Promise.all([
      readIfThere(path.join(folder, FILES.certificate)),
      readIfThere(path.join(folder, FILES.privateKey)),
    ])
    return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey }
  }
  return {
    load,
    async save(root) {
      await mkdir(path.dirname(path.resolve(folder)), { recursive: true })
      const fresh = await mkdtemp(`${path.resolve(folder)}.new-`)
      try {
        await writeRoot(fresh, root)
        // All files appear at once or not at all, and only in a folder that is empty or not there.
        await rename(fresh, folder)
        return root
      } catch (error) {
        await rm(fresh, { recursive: true, force: true })
        const first = TAKEN.includes((error as NodeJS.ErrnoException).code ?? '') ? await load() : undefined
        if (first === undefined) throw error
        return first
      }
    },
  }
}

const TAKEN = ['ENOTEMPTY', 'EEXIST', 'EPERM']

async function writeRoot(folder: string, { certificate, privateKey }: RootMaterial): Promise<void> {
  await writeFile(path.join(folder, FILES.privateKey), privateKey, { mode: 0o600 })
  for (const name of [FILES.certificate, FILES.root, FILES.chain])
    await writeFile(path.join(folder, name), certificate, { mode: 0o644 })
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
