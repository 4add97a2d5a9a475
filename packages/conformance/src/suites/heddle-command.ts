import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** The words that start `heddle`: as it was built; where it was not, or sources are newer, as one file made of the sources now. */
export async function heddleCommand(): Promise<readonly string[]> {
  const built = join(ROOT, 'packages/cli/dist/heddle.js')
  return [process.execPath, isFresh(built) ? built : await bundle()]
}

// Modules of CommonJS in the bundle expect these names.
const BANNER = `import { createRequire as __requireOf } from 'node:module'
import { fileURLToPath as __pathOf } from 'node:url'
const require = __requireOf(import.meta.url), __filename = __pathOf(import.meta.url), __dirname = __filename.replace(/[^/]*$/, '')`

async function bundle(): Promise<string> {
  const outDir = fileURLToPath(new URL('../../node_modules/.cache/heddle', import.meta.url))
  await build({
    config: false,
    silent: true,
    entry: [join(ROOT, 'packages/cli/src/heddle.ts')],
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    splitting: false,
    noExternal: [/.*/],
    banner: { js: BANNER },
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions(options) {
      options.conditions = ['@heddle/source']
    },
  })
  return join(outDir, 'heddle.mjs')
}

/** Every package is built, and none was changed since. */
function isFresh(built: string): boolean {
  if (!existsSync(built)) return false
  return PACKAGES.every((name) => {
    const folder = join(ROOT, 'packages', name)
    const dist = newest(join(folder, 'dist'))
    return dist > 0 && newest(join(folder, 'src')) <= dist
  })
}

const PACKAGES = [
  'runtime',
  'xds-types',
  'config-model',
  'translator',
  'xds-server',
  'proxy-core',
  'ca',
  'injector',
  'mesh',
  'agent',
  'cli',
]

/** The latest change of a file below, in milliseconds; 0: no files. */
function newest(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?js|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0)
}

/** Runs a runner that lies beside the data and reads the JSON it prints; it exits 1 for misses, which is no error here. */
export function runTool(script: string, args: readonly string[]): Promise<unknown> {
  return new Promise((done, failed) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 1 << 29 }, (error, stdout, stderr) => {
      try {
        done(JSON.parse(stdout))
      } catch {
        failed(new Error(`${script}: ${stderr.trim().split('\n').at(-1) ?? ''} ${error?.message ?? ''}`))
      }
    })
  })
}

/** One text for a shell. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@=:./+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}
