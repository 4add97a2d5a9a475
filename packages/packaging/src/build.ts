import { join } from 'node:path'
import { lastWords, run } from './run.js'

/** Modules and declarations of every package; what did not change comes from turbo's cache. Throws when it fails. */
export function buildPackages(root: string): Promise<void> {
  return turbo(root, 'build')
}

/** Declarations alone. */
export function buildDeclarations(root: string): Promise<void> {
  return turbo(root, 'types')
}

async function turbo(root: string, task: string): Promise<void> {
  const args = ['run', task, '--filter=./packages/*', '--output-logs=errors-only', '--log-prefix=none']
  const built = await run(join(root, 'node_modules/.bin/turbo'), args, { cwd: root, timeoutMs: 600_000 })
  if (built.code !== 0) throw new Error(`the build failed: ${lastWords(built, 4000)}`)
}
