import path from 'node:path'
import { CaError } from './authority.js'
import { CA_FILES, createCaFolder, readIfThere } from './ca-folder.js'

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

/**
 * A folder with Istio's file names (`ca-cert.pem`, `ca-key.pem`, `root-cert.pem`, `cert-chain.pem`); the key is readable by its
 * owner only. A key that is there is never overwritten: `save` fails when the folder holds other things but no root.
 */
export function createFolderStore(folder: string): RootStore {
  const load = async (): Promise<RootMaterial | undefined> => {
    const [certificate, privateKey] = await Promise.all([
      readIfThere(path.join(folder, CA_FILES.caCert)),
      readIfThere(path.join(folder, CA_FILES.caKey)),
    ])
    return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey }
  }
  return {
    load,
    async save(root) {
      const { certificate, privateKey } = root
      const files = { caCert: certificate, caKey: privateKey, rootCert: certificate, certChain: certificate }
      if (await createCaFolder(folder, files)) return root
      const first = await load()
      if (first === undefined) throw new CaError('ca.folder', `${folder} is not empty, and holds no CA`)
      return first
    },
  }
}
