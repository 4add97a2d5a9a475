import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { checkArchitecture } from './check.js'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

/** The faults of a tree with these sources. */
function faultsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'heddle-architecture-'))
  made.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'packages', path)), { recursive: true })
    writeFileSync(join(root, 'packages', path), text)
  }
  return checkArchitecture(root).faults
}

test('the packages keep their architecture', () => {
  const { files, faults } = checkArchitecture(resolve(import.meta.dirname, '../../../..'))
  expect(files).toBeGreaterThan(300)
  expect(faults).toEqual([])
})

test('a tree that does all right has no faults', () => {
  expect(
    faultsOf({
      'runtime/src/clock.ts': 'export const later = (run: () => void): void => void setTimeout(run, 1)\n',
      'translator/src/a.ts':
        "import { later } from '@heddle/runtime'\nimport type { B } from './b.js'\nexport const a: B = later\n",
      'translator/src/b.ts': "import { a } from './a.js'\nexport type B = typeof a // setTimeout( in a comment\n",
      'bench/src/x.ts': "import '@heddle/translator'\nexport const at = Date.now()\n",
    }),
  ).toEqual([])
})

const BROKEN: readonly (readonly [what: string, files: Readonly<Record<string, string>>, why: string])[] = [
  [
    'a cycle',
    {
      'ca/src/a.ts': "export { b } from './b.js'\n",
      'ca/src/b.ts': "import {\n  c,\n} from './deep/c.js'\nexport const b = c\n",
      'ca/src/deep/c.ts': "import { b } from '../a.js'\nexport const c = b\n",
    },
    'packages/ca/src/a.ts: a cycle of imports: packages/ca/src/a.ts -> packages/ca/src/b.ts -> packages/ca/src/deep/c.ts -> ' +
      'packages/ca/src/a.ts',
  ],
  [
    'an import up a floor',
    { 'xds-server/src/a.ts': "import { translate } from '@heddle/translator'\n" },
    'packages/xds-server/src/a.ts: imports @heddle/translator, which is not below xds-server',
  ],
  [
    'an import of a package that tests',
    { 'mesh/src/a.ts': "export * from '@heddle/conformance'\n" },
    'packages/mesh/src/a.ts: imports @heddle/conformance, which is not below mesh',
  ],
  [
    'a file of another package',
    { 'mesh/src/a.ts': "import type { Ca } from '../../ca/src/ca.js'\n" },
    'packages/mesh/src/a.ts: imports ../../ca/src/ca.js, a file of another package',
  ],
  ...['setTimeout(run, 1)', 'Date.now()', 'Math.random()', 'new Date()'].map(
    (call) =>
      [
        call,
        { 'translator/src/a.ts': `export const a = ${call}\n` },
        `packages/translator/src/a.ts: ${call.replace(/\(run, 1\)|(?<!Date)\(\)/, '')}: take a Clock or a Random`,
      ] as const,
  ),
  ['a file without an end', { 'ca/src/a.ts': 'export {}\n'.repeat(701) }, 'packages/ca/src/a.ts: 701 lines, 700 is the most'],
]

test.each(BROKEN)('refused: %s', (_, files, why) => {
  expect(faultsOf(files)).toContainEqual(expect.stringContaining(why))
})
