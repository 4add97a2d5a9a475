import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileContent } from '../file-set.js'

const CONFIG_FILE = /\.(?:ya?ml|json)$/i

/** Files of a folder by path, each with a mark that changes with its content. */
export type Listing = ReadonlyMap<string, string>

/**
 * The config files in and under `directory`. Names that begin with a dot are left out, and with them editors' swap files and the
 * hidden folders behind Kubernetes' mounted volumes; symbolic links count as files, never as folders.
 * @param folders gets every folder that was looked into
 */
export async function listConfigFiles(directory: string, folders?: Set<string>): Promise<Listing> {
  const listing = new Map<string, string>()
  folders?.add(directory)
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      // A folder that goes away meanwhile has no files.
      for (const [file, mark] of await listConfigFiles(path, folders).catch(() => new Map<string, string>()))
        listing.set(file, mark)
    } else if (CONFIG_FILE.test(entry.name)) {
      const mark = await markOf(path)
      if (mark !== undefined) listing.set(path, mark)
    }
  }
  return listing
}

async function markOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined)
  return stats?.isFile() === true ? `${stats.mtimeNs}:${stats.size}:${stats.ino}` : undefined
}

/** The text of a file, or why there is none; undefined when it is gone. */
export async function readConfigFile(path: string, maxBytes: number): Promise<FileContent> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) return { error: `has ${size} bytes, more than the limit of ${maxBytes}: split it` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) }
  } catch (error) {
    if (error instanceof TypeError) return { error: 'is not UTF-8 text: save it as UTF-8' }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return { error: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}
