import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Packed } from '../pack.js'
import { lastWords, run } from '../run.js'
import { type Cell, cellOf } from './check.js'

/** Not dependencies of the repository: they weigh 40 MB, and `pnpm demo` on a fresh clone would wait for them. */
const TOOLS = { publint: '0.3.25', '@arethetypeswrong/cli': '0.18.5' }

/** The tools, installed once and kept below node_modules until their versions change. Returns the folder of their commands. */
export async function installTools(root: string): Promise<string> {
  const folder = join(root, 'node_modules/.cache/heddle-packaging')
  const wanted = JSON.stringify({ private: true, dependencies: TOOLS })
  const done = join(folder, 'installed.json')
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), wanted)
    const finished = await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, timeoutMs: 300_000 })
    if (finished.code !== 0) throw new Error(`npm cannot install publint and attw: ${lastWords(finished, 2000)}`)
    writeFileSync(done, wanted)
  }
  return join(folder, 'node_modules/.bin')
}

/** `publint --strict`: exports, files and fields of the package.json. */
export async function checkPublint(one: Packed, bin: string): Promise<Cell> {
  const finished = await run(join(bin, 'publint'), ['run', one.tarball, '--strict'], { cwd: bin })
  return cellOf(one, 'publint', finished.code === 0 ? [] : [lastWords(finished)])
}

/** `attw --profile esm-only`: declarations that say the same as the modules. Commands without entry points have no row. */
export async function checkAttw(one: Packed, bin: string): Promise<readonly Cell[]> {
  if (one.package.entries.length === 0) return []
  const args = [one.tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']
  const finished = await run(join(bin, 'attw'), args, { cwd: bin })
  return [cellOf(one, 'attw', finished.code === 0 ? [] : [lastWords(finished)])]
}
