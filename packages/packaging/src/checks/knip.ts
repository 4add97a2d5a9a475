import { join } from 'node:path'
import { lastWords, run } from '../run.js'

/** What nobody uses and what nobody lists, by knip with the settings of knip.json. A line each. */
export async function knipFaults(root: string, modules: string): Promise<readonly string[]> {
  const args = ['--no-progress', '--no-config-hints', '--reporter', 'symbols']
  const finished = await run(join(modules, '.bin/knip'), args, { cwd: root })
  if (finished.code === 0) return []
  if (finished.code !== 1) return [`knip: ${lastWords(finished)}`]
  return readFindings(finished.stdout)
}

/** Headings (`Unused files (2)`) with their lines -> `unused files: packages/ca/src/a.ts`. */
export function readFindings(text: string): readonly string[] {
  let heading = ''
  return text.split('\n').flatMap((line) => {
    const [, next] = /^(\S.*) \(\d+\)$/.exec(line) ?? []
    if (next !== undefined) heading = next.toLowerCase()
    return next !== undefined || line.trim() === '' ? [] : [`${heading}: ${line.trim().replace(/\s+/g, ' ')}`]
  })
}
