import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Manifest } from '../packages.js'
import { filesBelow } from '../sweep.js'
import { exportedNames } from './names.js'

type Targets = Readonly<Record<string, { readonly types: string } | null>>

/** The modules behind a pattern of `exports`, such as `./*`: sub-path and declaration file. */
export function modulesOf(installed: string, pattern: string, types: string): readonly { path: string; file: string }[] {
  const [before = '', after = ''] = types.replace(/^\.\//, '').split('*')
  return filesBelow(installed)
    .filter((file) => file.startsWith(before) && file.endsWith(after))
    .map((file) => ({
      path: pattern.replace('*', file.slice(before.length, file.length - after.length)),
      file: join(installed, file),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * The public names of a package as text, one a line. A module behind a pattern (generated code, hundreds of them) is one line with the
 * number of its names and a hash of them. `published` has the `exports` that ship; their targets lie in `folder`.
 */
export function surface(published: Manifest, folder: string): string {
  const exports = (published.exports ?? {}) as Targets
  return Object.entries(exports)
    .flatMap(([path, target]) => {
      if (target === null) return [`${path} closed`]
      if (!path.includes('*')) return exportedNames(join(folder, target.types)).map((name) => `${path} ${name}`)
      return modulesOf(folder, path, target.types)
        .filter((module) => exports[module.path] === undefined)
        .map((module) => {
          const names = exportedNames(module.file)
          return `${module.path} ${names.length} names ${createHash('sha256').update(names.join()).digest('hex').slice(0, 8)}`
        })
    })
    .map((line) => `${line}\n`)
    .join('')
}

/** The lines that a text has lost and won since it was written down. */
export function lineChanges(snapshot: string, now: string): readonly string[] {
  const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')
  const [before, after] = [new Set(lines(snapshot)), new Set(lines(now))]
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `gone: ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `new: ${line}`),
  ]
}
