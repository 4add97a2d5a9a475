import { join } from 'node:path'
import { lastWords, run } from './run.js'

/** Modules and declarations of every package; what did not change comes from turbo's cache. Throws when it fails. */
export async function buildPackages(root: string): Promise<void> {
  const turbo = join(root, 'node_modules/.bin/turbo')
  const built = await run(turbo, ['run', 'build', '--filter=./packages/*', '--output-logs=errors-only', '--log-prefix=none'], {
    cwd: root,
    timeoutMs: 600_000,
  })
  if (built.code !== 0) throw new Error(`the build failed: ${lastWords(built, 4000)}`)
}
