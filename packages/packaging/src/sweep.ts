import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** Every file below a folder, relative to it. */
export function filesBelow(folder: string, at: string = folder): readonly string[] {
  if (!existsSync(at)) return []
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name)
    return entry.isDirectory() ? filesBelow(folder, path) : [relative(folder, path)]
  })
}

/** The files that a module loads from its own folder tree, itself included. */
function reachable(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file) || !existsSync(file)) return seen
  seen.add(file)
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g))
    reachable(resolve(dirname(file), specifier), seen)
  return seen
}

/**
 * What an earlier build left in `dist` and today's sources would not make: bundler chunks that nothing loads, and declarations and
 * modules whose source is gone. Neither tsc, tsup nor turbo's cache removes them, and `files` would ship them.
 */
export function staleFiles(folder: string): readonly string[] {
  const files = filesBelow(join(folder, 'dist'))
  const sourceOf = (file: string): string => join(folder, 'src', file.replace(/\.d\.ts(\.map)?$|\.js(\.map)?$/, '.ts'))
  const entries = files.filter((file) => file.endsWith('.js') && existsSync(sourceOf(file)))
  const loaded = new Set<string>()
  for (const entry of entries) reachable(join(folder, 'dist', entry), loaded)
  return files.filter((file) => {
    if (/\.d\.ts(\.map)?$/.test(file)) return !existsSync(sourceOf(file))
    return !loaded.has(join(folder, 'dist', file.replace(/\.map$/, '')))
  })
}

export function sweep(folder: string): readonly string[] {
  const stale = staleFiles(folder)
  for (const file of stale) rmSync(join(folder, 'dist', file))
  return stale
}
