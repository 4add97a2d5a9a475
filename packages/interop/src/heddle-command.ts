import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const at = (path: string): string => fileURLToPath(new URL(`../../cli/${path}`, import.meta.url))

/** Words that start `heddle`: the file that HEDDLE_COMMAND names; as it was built where everything is (.ci/run builds first); else from the sources. */
export function heddleWords(): readonly string[] {
  const named = process.env['HEDDLE_COMMAND']
  if (named !== undefined) return [process.execPath, named]
  if (process.env['HEDDLE_INTEROP'] !== undefined) return [process.execPath, at('dist/heddle.js')]
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return [process.execPath, '--import', tsx, '--conditions=@heddle/source', at('src/heddle.ts')]
}
