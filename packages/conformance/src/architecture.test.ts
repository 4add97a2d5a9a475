import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { findCycles } from './cycles.js'
import { ALLOWED, BROWSER_SAFE, DOORS, NODE_FOLDERS, TIME_FOLDERS, TOOLS } from './rules.js'
import { packageSources, resolveRelative } from './sources.js'

const root = resolve(import.meta.dirname, '../../..')
const sources = packageSources(root)
const published = sources.filter((file) => !TOOLS.includes(file.package))
const within = (path: string, places: readonly string[]): boolean => places.some((place) => path.startsWith(place))

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(sources.flatMap((file) => file.imports).length).toBeGreaterThan(100)
})

test('a package imports only what stands on the floors below it, and never another package’s folder', () => {
  const wrong = sources.flatMap((file) =>
    file.imports.flatMap(({ specifier }) => {
      const other = /^@heddle\/([\w-]+)/.exec(specifier)?.[1]
      const relativePath = resolveRelative(root, file, specifier)
      const leaves = relativePath !== undefined && !relativePath.startsWith(`packages/${file.package}/`)
      const allowed = TOOLS.includes(file.package) ? Object.keys(ALLOWED) : (ALLOWED[file.package] ?? [])
      const climbs = other !== undefined && other !== file.package && !allowed.includes(other)
      return leaves || climbs ? [`${file.path} -> ${specifier}`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('no cycles between files', () => {
  const graph = new Map(
    sources.map((file) => [
      file.path,
      file.imports.filter((i) => !i.typeOnly).flatMap(({ specifier }) => resolveRelative(root, file, specifier) ?? []),
    ]),
  )
  expect(findCycles(graph).map((cycle) => cycle.join(' -> '))).toEqual([])
})

test('outside dependencies stay behind their doors', () => {
  const wrong = published.flatMap((file) =>
    file.imports.flatMap(({ specifier, typeOnly }) => {
      const door = DOORS.find(({ module }) => module.test(specifier))
      return door !== undefined && !typeOnly && !within(file.path, door.files) ? [`${file.path} -> ${specifier}`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('browser-safe packages use neither node: modules nor Buffer', () => {
  const wrong = sources
    .filter((file) => BROWSER_SAFE.includes(file.package) && !within(file.path, NODE_FOLDERS))
    .filter(
      (file) =>
        file.imports.some(({ specifier }) => specifier.startsWith('node:')) ||
        /\bBuffer\b/.test(file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    )
    .map((file) => file.path)
  expect(wrong).toEqual([])
})

test('time and chance are read in runtime only', () => {
  const wrong = published
    .filter((file) => !within(file.path, TIME_FOLDERS))
    .filter((file) =>
      /\b(Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate)\(|new Date\(\)/.test(
        file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''),
      ),
    )
    .map((file) => file.path)
  expect(wrong).toEqual([])
})

test('the cycle finder finds cycles', () => {
  expect(
    findCycles(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['a']],
      ]),
    ),
  ).toEqual([['a', 'b', 'c', 'a']])
  expect(
    findCycles(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', []],
      ]),
    ),
  ).toEqual([])
})
