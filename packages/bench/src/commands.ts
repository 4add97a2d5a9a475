import { createRequire } from 'node:module'
import { join } from 'node:path'

const PACKAGES = join(import.meta.dirname, '../..')

/** Runs TypeScript; with the private condition our packages come from their sources, without it as they were built. */
function typescript(built: boolean): string[] {
  const tsx = createRequire(import.meta.url).resolve('tsx')
  return [process.execPath, ...(built ? [] : ['--conditions=@heddle/source']), '--import', tsx]
}

/** The words that start `heddle`. */
export function heddleCommand(built: boolean): readonly string[] {
  if (built) return [process.execPath, join(PACKAGES, 'cli/dist/heddle.js')]
  return [...typescript(false), join(PACKAGES, 'cli/src/heddle.ts')]
}

/** The words that start a file of src/workers. */
export function workerCommand(name: string, built: boolean): readonly string[] {
  return [...typescript(built), join(PACKAGES, 'bench/src/workers', `${name}.ts`)]
}
