import { type FSWatcher, watch } from 'node:fs'

/** Hears of changes in a set of folders. */
export interface FolderWatch {
  /** Exactly these folders from now on. */
  follow(folders: ReadonlySet<string>): void
  close(): void
}

/**
 * One watcher a folder: a folder tells of every rename in it. Node's recursive watching follows files by inode on Linux and loses a
 * file that is replaced by rename, which is how careful writers write. Where the system cannot watch, polling has to do.
 */
export function createFolderWatch(changed: () => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>()
  const stop = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const start = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, changed)
      watcher.on('error', () => stop(folder))
      watchers.set(folder, watcher)
    } catch {
      // Gone already, or no watches left: the next poll sees it.
    }
  }
  return {
    follow(folders) {
      for (const folder of watchers.keys()) if (!folders.has(folder)) stop(folder)
      for (const folder of folders) if (!watchers.has(folder)) start(folder)
    },
    close() {
      for (const folder of [...watchers.keys()]) stop(folder)
    },
  }
}
