import { join } from 'node:path'
import type { Packed } from '../pack.js'
import { lastWords, run } from '../run.js'
import { type Cell, cellOf } from './check.js'

/** `publint --strict`: exports, files and fields of the package.json. */
export async function checkPublint(one: Packed, modules: string): Promise<Cell> {
  const finished = await run(join(modules, '.bin/publint'), ['run', one.tarball, '--strict'], { cwd: modules })
  return cellOf(one, 'publint', finished.code === 0 ? [] : [lastWords(finished)])
}

/** `attw --profile esm-only`: declarations that say the same as the modules. Commands without entry points have no row. */
export async function checkAttw(one: Packed, modules: string): Promise<readonly Cell[]> {
  if (one.package.entries.length === 0) return []
  const args = [one.tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']
  const finished = await run(join(modules, '.bin/attw'), args, { cwd: modules })
  return [cellOf(one, 'attw', finished.code === 0 ? [] : [lastWords(finished)])]
}
