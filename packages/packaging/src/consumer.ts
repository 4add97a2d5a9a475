import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jestTest } from './jest.js'
import type { Packed } from './pack.js'
import type { Manifest } from './packages.js'
import { commonJsOf, exampleOf } from './readme.js'
import { lastWords, run } from './run.js'
import { modulesOf } from './surface/exports.js'

/** A project of a user: an empty folder in which the tarballs were installed by npm. */
export interface Consumer {
  readonly folder: string
  /** Where npm put a package. */
  installed(name: string): string
}

const TYPES_OF_NODE = '@types/node@20.19.43'

const TSCONFIG = {
  compilerOptions: {
    module: 'NodeNext',
    target: 'ES2022',
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    rootDir: 'src',
    outDir: 'out',
  },
  include: ['src'],
}

/** `npm i` of all tarballs into an empty folder. Throws when npm does. */
export async function createConsumer(folder: string, packed: readonly Packed[]): Promise<Consumer> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name: 'consumer', private: true, version: '1.0.0' })}\n`)
  const args = ['install', '--no-audit', '--no-fund', ...packed.map(({ tarball }) => tarball), TYPES_OF_NODE]
  const finished = await run('npm', args, { cwd: folder, timeoutMs: 300_000 })
  if (finished.code !== 0) throw new Error(`npm cannot install the tarballs: ${lastWords(finished, 2000)}`)
  return { folder, installed: (name) => join(folder, 'node_modules', name) }
}

/** All specifiers that users may import, those behind patterns too. */
export function specifiersOf(one: Packed, consumer: Consumer): readonly string[] {
  const patterns = Object.entries((one.manifest.exports ?? {}) as Record<string, { types: string } | null>).flatMap(
    ([path, target]) =>
      target === null || !path.includes('*') ? [] : modulesOf(consumer.installed(one.package.name), path, target.types),
  )
  const closed = new Set(Object.keys((one.manifest as Manifest).exports ?? {}))
  return [
    ...one.package.entries,
    ...patterns.filter(({ path }) => !closed.has(path)).map(({ path }) => one.package.name + path.slice(1)),
  ]
}

/**
 * Writes what a user would: the README's example, and a file that imports every entry point, each as a module (`.mts`) and in CommonJS
 * (`.cts`: the compiler makes require() of its imports), and a test for Jest. `tsc -p .` checks them and writes the runnable ones into
 * out/.
 */
export function writeSources(consumer: Consumer, packed: readonly Packed[]): void {
  writeFileSync(join(consumer.folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const one of packed) {
    const [sources, out] = ['src', 'out'].map((folder) => join(consumer.folder, folder, one.package.short)) as [string, string]
    for (const folder of [sources, out]) mkdirSync(folder, { recursive: true })
    const specifiers = specifiersOf(one, consumer)
    const imports = specifiers.map((specifier, i) => `import * as entry${i} from '${specifier}'\n`).join('')
    const use = `console.log(Object.keys({ ${specifiers.map((_, i) => `...entry${i}`).join(', ')} }).length)\n`
    for (const file of ['entries.mts', 'entries.cts']) writeFileSync(join(sources, file), imports + use)
    const example = exampleOf(readFileSync(join(one.package.folder, 'README.md'), 'utf8'))
    if (specifiers.length > 0) writeFileSync(join(out, 'jest.cjs'), jestTest(specifiers, example))
    if (example !== undefined) writeFileSync(join(sources, 'readme.cts'), commonJsOf(example))
    if (example?.language === 'ts') writeFileSync(join(sources, 'readme.mts'), example.code)
    if (example?.language === 'js') writeFileSync(join(out, 'readme.mjs'), example.code)
  }
}
