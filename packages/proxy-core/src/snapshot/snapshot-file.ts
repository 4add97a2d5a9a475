import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Where a proxy keeps its last good configuration. */
export interface SnapshotStore {
  /** Undefined: there is none. */
  read(): Promise<string | undefined>
  /** Whole or not at all. */
  write(text: string): Promise<void>
}

/** A snapshot in a file that only its owner may read (0600), replaced in one step. */
export function createSnapshotFile(path: string): SnapshotStore {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(text) {
      await mkdir(dirname(path), { recursive: true })
      const next = `${path}.next`
      const file = await open(next, 'w', 0o600)
      try {
        await file.chmod(0o600) // `next` may have been left behind with another mode
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(next, path)
    },
  }
}
