import { join } from 'node:path'
import type { Packed } from '../pack.js'
import { run } from '../run.js'
import { type Cell, type CheckContext, cellOf } from './check.js'

const ERROR = /^(\S+?)\((\d+),\d+\): error (TS\d+: .*)$/gm

/**
 * One `tsc` over everything that writeSources wrote, with the declarations of the packages checked too (skipLibCheck off). Errors are
 * told by package and kind of module; those inside other people's declarations are not ours.
 */
export async function checkTypes(packed: readonly Packed[], { root, consumer }: CheckContext): Promise<readonly Cell[]> {
  const { code, stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
    cwd: consumer.folder,
  })
  const errors = [...stdout.matchAll(ERROR)].map(([, file = '', line, text = '']) => ({ file, says: `${file}:${line} ${text}` }))
  const crashed = code !== 0 && errors.length === 0 ? [`tsc ended with ${code}: ${stdout.slice(0, 300)}`] : []
  const within = (...places: string[]): readonly string[] => [
    ...crashed,
    ...errors.filter(({ file }) => places.some((place) => file.startsWith(place))).map(({ says }) => says),
  ]
  return packed
    .filter(({ package: { entries } }) => entries.length > 0)
    .flatMap((one) => {
      const { short, name } = one.package
      const own = `node_modules/${name}/`
      return [
        cellOf(one, 'types', within(`src/${short}/readme.mts`, `src/${short}/entries.mts`, own)),
        cellOf(one, 'types cjs', within(`src/${short}/readme.cts`, `src/${short}/entries.cts`)),
      ]
    })
}
