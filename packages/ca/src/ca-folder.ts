import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { PluggedInFiles } from './plugged-in.js'

/** Names as Istio's secret `cacerts` has them. */
export const CA_FILES: Readonly<Record<keyof PluggedInFiles, string>> = {
  caCert: 'ca-cert.pem',
  caKey: 'ca-key.pem',
  rootCert: 'root-cert.pem',
  certChain: 'cert-chain.pem',
}

const OWNER_ONLY = 0o600
const READABLE = 0o644
const modeOf = (name: string): number => (name === CA_FILES.caKey ? OWNER_ONLY : READABLE)

/** The four files of a folder; `cert-chain.pem` may be missing. One after another: of several that are missing the first is told. */
export async function readPluggedInFolder(folder: string): Promise<PluggedInFiles> {
  const read = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8')
  return {
    caCert: await read(CA_FILES.caCert),
    caKey: await read(CA_FILES.caKey),
    rootCert: await read(CA_FILES.rootCert),
    certChain: (await readIfThere(path.join(folder, CA_FILES.certChain))) ?? '',
  }
}

/**
 * Makes a folder of CA files: all of them appear at once or not at all, and the key is its owner's.
 * @returns false, and nothing has changed, when the folder is there and not empty.
 */
export async function createCaFolder(folder: string, files: PluggedInFiles): Promise<boolean> {
  await mkdir(path.dirname(path.resolve(folder)), { recursive: true })
  const fresh = await mkdtemp(`${path.resolve(folder)}.new-`)
  try {
    // The key first, as everywhere: a folder that has a certificate has its key.
    for (const part of ['caKey', 'caCert', 'rootCert', 'certChain'] as const)
      await writeFile(path.join(fresh, CA_FILES[part]), files[part], { mode: modeOf(CA_FILES[part]) })
    await rename(fresh, folder)
    return true
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    if (TAKEN.includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

const TAKEN = ['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR']

/** Replaces a file in a CA folder, whole. */
export async function replaceCaFile(folder: string, name: string, text: string): Promise<void> {
  const file = path.join(folder, name)
  await writeFile(`${file}.new`, text, { mode: modeOf(name) })
  await rename(`${file}.new`, file)
}

export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
