import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asPublished, type PublicPackage } from '../packages.js'
import { type ApiEntry, type ApiReporter, apiEntries, saysAny } from './api-report.js'
import { lineChanges, surface } from './exports.js'

/** A text about the public surface that is kept in git, as it is now. */
export interface Kept {
  /** `ca.txt`, `ca.grpc.api.md`. */
  readonly file: string
  readonly faults: readonly string[]
}

const HINT = 'is this wanted? Then `pnpm packaging --update`, and a changeset'

/** Compares what is kept with what is, or keeps what is. */
function compare(folder: string, file: string, now: string, update: boolean): readonly string[] {
  const path = join(folder, file)
  if (update) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, now)
    return []
  }
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (before === now) return []
  const changes = lineChanges(before, now)
  return [...(changes.length === 0 ? ['the order has changed'] : changes), HINT]
}

/** Public names, one file a package. */
export function checkExports(folder: string, one: PublicPackage, update: boolean): Kept {
  const file = `${one.short}.txt`
  return { file, faults: compare(folder, file, surface(asPublished(one.manifest), one.folder), update) }
}

/** Signatures, one file an entry point. No signature may say `any`. */
export function checkApi(folder: string, one: PublicPackage, update: boolean, report: ApiReporter): readonly Kept[] {
  return apiEntries(one).map((entry) => ({ file: entry.report, faults: apiFaults(folder, entry, update, report) }))
}

function apiFaults(folder: string, entry: ApiEntry, update: boolean, report: ApiReporter): readonly string[] {
  try {
    const now = report(entry)
    return [...saysAny(now).map((line) => `a public any: ${line}`), ...compare(folder, entry.report, now, update)]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** Files that are kept for entry points and packages which are gone. */
export function leftOver(folder: string, kept: readonly Kept[], update: boolean): readonly string[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => kept.every((one) => one.file !== file)) : []
  if (update) for (const file of files) rmSync(join(folder, file))
  return update ? [] : files
}
