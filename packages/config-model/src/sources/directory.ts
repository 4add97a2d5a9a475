import { type Clock, createWatch, type Diagnostic, equal, type Unsubscribe, type Watch } from '@heddle/runtime'
import { createFileSet, type FileContent, type FileSetOptions } from '../file-set.js'
import type { OriginIndex } from '../resource.js'
import { createFolderWatch } from './folder-watch.js'
import { type Listing, listConfigFiles, readConfigFile } from './scan.js'

export interface DirectoryOptions extends FileSetOptions {
  clock: Clock
  /** A changed file counts when it looks the same for this long, in milliseconds: half-written files and files that editors replace pass unseen. Default 50. */
  settleMs?: number
  /** The folder is looked at this often even when the system tells of no change (network file systems), in milliseconds. Default 2000. */
  pollMs?: number
  /** Larger files are refused. Default 64 MiB. */
  maxFileBytes?: number
}

/** A folder of YAML and JSON as the source of a store. */
export interface DirectorySource {
  /** Of all files, and of the folder itself. */
  readonly diagnostics: Watch<readonly Diagnostic[]>
  readonly origins: OriginIndex
  close(): void
}

/**
 * Reads `directory` and everything under it into the store, then follows its changes: one batch for what changed together. Rejects when
 * the folder cannot be read at the start; when it goes away later, everything stays in force and a diagnostic says so.
 */
export async function watchDirectory(directory: string, options: DirectoryOptions): Promise<DirectorySource> {
  const { clock, settleMs = 50, pollMs = 2000, maxFileBytes = 64 * 1024 * 1024 } = options
  const files = createFileSet(options)
  const diagnostics = createWatch<readonly Diagnostic[]>([])
  const changes = createChangeFinder()
  let folderProblem: readonly Diagnostic[] = []
  const publish = (): void => {
    const found = [...folderProblem, ...files.diagnostics.current]
    // Every look ends here: who listens hears of what is new alone.
    if (!equal(found, diagnostics.current)) diagnostics.set(found)
  }

  const watcher = createFolderWatch(() => {
    if (busy) again = true
    else schedule(Math.min(settleMs, 10))
  })

  // Says whether something is still changing.
  const scan = async (trusting: boolean): Promise<boolean> => {
    const folders = new Set<string>()
    const listing = await listConfigFiles(directory, folders)
    if (!closed) watcher.follow(folders)
    const { settled, unsettled } = changes.find(listing, trusting)
    const contents = new Map<string, FileContent>()
    for (const file of settled) contents.set(file, listing.has(file) ? await readConfigFile(file, maxFileBytes) : undefined)
    if (contents.size > 0 && !closed) files.update(contents)
    folderProblem = []
    publish()
    return unsettled
  }

  let closed = false
  let timer: Unsubscribe = () => {}
  let busy = false
  let again = false
  const run = async (): Promise<void> => {
    if (busy) {
      again = true
      return
    }
    busy = true
    again = false
    let unsettled = false
    try {
      unsettled = await scan(false)
    } catch (error) {
      const message = `cannot be read, its files stay in force: ${error instanceof Error ? error.message : String(error)}`
      folderProblem = [{ code: 'config.directory', severity: 'error', path: '', message, origin: { file: directory, line: 1 } }]
      publish()
    }
    busy = false
    if (!closed) schedule(unsettled || again ? settleMs : pollMs)
  }
  const schedule = (ms: number): void => {
    timer()
    timer = clock.after(ms, () => void run())
  }

  await scan(true)
  // Once more soon: what changed between the first look and the first watcher was told to nobody.
  schedule(settleMs)
  return {
    diagnostics,
    origins: files.origins,
    close() {
      closed = true
      timer()
      watcher.close()
    },
  }
}

interface ChangeFinder {
  /** Files that differ from what was taken, and look as they did at the last call. `trusting`: the first look is enough. */
  find(listing: Listing, trusting: boolean): { settled: readonly string[]; unsettled: boolean }
}

const GONE = ''

function createChangeFinder(): ChangeFinder {
  const taken = new Map<string, string>()
  let seen = new Map<string, string>()
  return {
    find(listing, trusting) {
      const settled: string[] = []
      const next = new Map<string, string>()
      for (const file of new Set([...listing.keys(), ...taken.keys()])) {
        const mark = listing.get(file) ?? GONE
        if ((taken.get(file) ?? GONE) === mark) continue
        if (trusting || seen.get(file) === mark) {
          settled.push(file)
          if (mark === GONE) taken.delete(file)
          else taken.set(file, mark)
        } else next.set(file, mark)
      }
      seen = next
      return { settled: settled.sort(), unsettled: next.size > 0 }
    },
  }
}
