import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** The words that start `heddle`: as it was built; where it was not, or sources are newer, from sources. */
export function heddleCommand(): readonly string[] {
  const built = join(ROOT, 'packages/cli/dist/heddle.js')
  if (isFresh(built)) return [process.execPath, built]
  const tsx = createRequire(import.meta.url).resolve('tsx')
  return [process.execPath, '--conditions=@heddle/source', '--import', tsx, join(ROOT, 'packages/cli/src/heddle.ts')]
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
