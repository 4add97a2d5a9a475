import { createRequire } from 'node:module'
import { join } from 'node:path'
import { PROTOBUF_PEERS } from './peers/protobuf.js'

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

/** The words that import a codec in a new process and tell what it cost; built, with nothing but Node. */
export function importCommand(what: string, built: boolean): readonly string[] {
  const words = built ? [process.execPath] : typescript(false)
  return [...words, join(PACKAGES, 'bench/src/workers/xds-types-import.mjs'), what, PROTOBUF_PEERS]
}
