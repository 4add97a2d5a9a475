import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** One source file with what it imports. */
export interface SourceFile {
  /** Relative to the repository: `packages/ca/src/csr.ts`. */
  readonly path: string
  /** The folder name of its package: `ca`. */
  readonly package: string
  readonly text: string
  /** Module specifiers of import and export declarations and of import() with a literal. Type-only ones are marked. */
  readonly imports: readonly { specifier: string; typeOnly: boolean }[]
}

const IMPORT =
  /(?:^|\n)\s*(import|export)\s+(type\s)?[^'"\n;]*?(?:from\s+)?['"]([^'"\n]+)['"]|(?<!\w)import\(\s*['"]([^'"]+)['"]\s*\)/g

function importsOf(text: string): SourceFile['imports'] {
  const found: { specifier: string; typeOnly: boolean }[] = []
  // Lists of names may span lines; one line each is enough for the pattern.
  const flat = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\{[^{}]*\}(?=\s*from\s)/g, (list) => list.replace(/\n/g, ' '))
  for (const match of flat.matchAll(IMPORT)) {
    const specifier = match[3] ?? match[4]
    if (specifier !== undefined)
      found.push({ specifier, typeOnly: match[2] !== undefined || (match[4] !== undefined && !/await\s+import/.test(match[0])) })
  }
  return found
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'gen') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

/** All sources of the packages, generated code and tests left out. */
export function packageSources(root: string): SourceFile[] {
  const packages = join(root, 'packages')
  return readdirSync(packages).flatMap((name) =>
    filesBelow(join(packages, name, 'src'))
      .filter((path) => !/\.test\.ts$|\.test-suite\.ts$/.test(path))
      .map((path) => {
        const text = readFileSync(path, 'utf8')
        return { path: relative(root, path), package: name, text, imports: importsOf(text) }
      }),
  )
}

/** Where a relative specifier leads, as a repository path; undefined for packages. */
export function resolveRelative(root: string, from: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return relative(root, resolve(root, dirname(from.path), specifier)).replace(/\.js$/, '.ts')
}
