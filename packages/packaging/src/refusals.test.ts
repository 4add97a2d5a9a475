import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { contentFaults } from './checks/contents.js'
import { readFindings } from './checks/knip.js'
import { manifestFaults } from './checks/manifests.js'
import type { Manifest } from './packages.js'
import { commonJsOf, exampleOf, missingPrint } from './readme.js'
import { releaseFaults } from './release.js'
import { saysAny } from './surface/api-report.js'
import { lineChanges } from './surface/exports.js'
import { staleFiles } from './sweep.js'
import { formatTables, formatVerdict } from './table.js'

const good: Manifest = {
  name: '@heddle/tea',
  version: '1.0.0',
  description: 'tea',
  license: 'Apache-2.0',
  keywords: [],
  engines: {},
  files: ['dist'],
  exports: {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './*': { types: './dist/gen/*.d.ts', default: './dist/gen/*.js' },
  },
  dependencies: { yaml: '^2.0.0' },
}
const files = [
  'README.md',
  'LICENSE',
  'NOTICE',
  'dist/index.js',
  'dist/index.d.ts',
  'src/index.ts',
  'dist/gen/a/v1.js',
  'dist/gen/a/v1.d.ts',
  'src/gen/a/v1.ts',
]
const faults = (manifest: Manifest, contents: readonly string[] = files, readme = ''): readonly string[] =>
  contentFaults({ manifest, files: contents, readme })

test('a good tarball has no faults', () => {
  expect(faults(good)).toEqual([])
})

test.each([
  [
    'the private condition',
    { ...good, exports: { '.': { '@heddle/source': './src/index.ts', default: './dist/index.js' } } },
    '@heddle/source ships',
  ],
  ['a workspace range', { ...good, dependencies: { '@heddle/runtime': 'workspace:^' } }, 'asked for as workspace:^'],
  ['a catalog range', { ...good, dependencies: { yaml: 'catalog:' } }, 'asked for as catalog:'],
  ['an entry without its file', { ...good, exports: { '.': './dist/main.js' } }, './dist/main.js is named'],
  ['a command without its file', { ...good, bin: { tea: './bin/tea.js' } }, './bin/tea.js is named'],
  ['a missing field', { ...good, license: undefined }, 'no "license"'],
])('refused: %s', (_, manifest, why) => {
  expect(faults(manifest).join()).toContain(why)
})

test('refused: generated code left out, tests shipped, a licence forgotten, a dead link', () => {
  expect(
    faults(
      good,
      files.filter((file) => !file.includes('gen/')),
    ).join(),
  ).toContain('./dist/gen/*.js is named')
  expect(faults(good, [...files, 'src/a.test.ts']).join()).toContain('src/a.test.ts ships')
  expect(
    faults(
      good,
      files.filter((file) => file !== 'LICENSE'),
    ),
  ).toEqual(['LICENSE is missing'])
  expect(faults(good, files, 'see [the rules](RULES.md) and [home](https://x.example)').join()).toContain('links to RULES.md')
})

test('refused: a changed public export', () => {
  expect(lineChanges('. createTea\n. type Tea\n', '. createTea\n. type Tea\n')).toEqual([])
  expect(lineChanges('. createTea\n. type Tea\n', '. makeTea\n. type Tea\n')).toEqual(['gone: . createTea', 'new: . makeTea'])
})

test('refused: an example that does not print what it promises, in order', () => {
  const example = exampleOf(
    '# tea\n```sh\nnpm i\n```\n```js\nlog(1) // prints one\nlog(2) // prints nothing: quiet\nlog(3) // prints two\n```\n',
  )
  expect(example?.prints).toEqual(['one', 'two'])
  expect(missingPrint(example?.prints ?? [], 'one\ntwo\n')).toBeUndefined()
  expect(missingPrint(example?.prints ?? [], 'two\none\n')).toBe('two')
  expect(exampleOf('```js no-run\nx\n```')).toBeUndefined()
})

test('what earlier builds left is found, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-stale-'))
  const put = (path: string, text = ''): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const path of [
    'src/index.ts',
    'src/deep/a.ts',
    'dist/index.d.ts',
    'dist/index.js.map',
    'dist/deep/a.d.ts.map',
    'dist/deep/gone.d.ts',
  ])
    put(path)
  put('dist/index.js', `import{a}from"./chunk-NEW.js";const b=()=>import('./chunk-LAZY.js')`)
  for (const path of ['dist/chunk-NEW.js', 'dist/chunk-LAZY.js', 'dist/chunk-OLD.js', 'dist/chunk-OLD.js.map']) put(path)
  expect([...staleFiles(folder)].sort()).toEqual(
    ['dist/chunk-OLD.js', 'dist/chunk-OLD.js.map', 'dist/deep/gone.d.ts'].map((path) => path.slice(5)),
  )
})

test('refused: a release that is not ready', () => {
  expect(releaseFaults({ dirty: false, waiting: 0, versions: ['0.1.0', '0.1.0'] })).toEqual([])
  expect(releaseFaults({ dirty: true, waiting: 2, versions: ['0.0.0', '0.1.0'] })).toHaveLength(4)
})

test('a table of what was read, a table of what was run; the verdict counts checks and not measures', () => {
  const cells = [
    { package: '@heddle/tea', check: 'packed KB', ok: true, shows: '12' },
    { package: '@heddle/tea', check: 'contents', ok: true },
    { package: '@heddle/tea', check: 'readme', ok: true, node: 20 },
    { package: '@heddle/tea', check: 'readme', ok: false, node: 22, faults: ['exit 1'] },
  ]
  expect(formatTables(cells)).toBe(`package      packed KB  contents
@heddle/tea  12         ok

package      Node  readme
@heddle/tea  20    ok
@heddle/tea  22    FAIL
`)
  expect(formatVerdict(cells)).toBe('@heddle/tea on Node 22 readme: exit 1\n2 passed, 1 failed\n')
})

const tea: Manifest = {
  ...good,
  files: ['dist', 'NOTICE'],
  exports: { '.': { '@heddle/source': './src/index.ts', default: './dist/index.js' } },
  publishConfig: { access: 'public', exports: { '.': { default: './dist/index.js' } } },
}

test.each([
  [
    'the private condition in what ships',
    { publishConfig: { access: 'public', exports: tea.exports ?? {} } },
    'which is private',
  ],
  ['an entry that would not ship', { exports: { ...tea.exports, './pot': './dist/pot.js' } }, 'exports["./pot"]'],
  ['a package without its notice', { files: ['dist'] }, 'NOTICE'],
  [
    'a package that npm would keep private',
    { publishConfig: { exports: { '.': { default: './dist/index.js' } } } },
    'not public',
  ],
])('refused: %s', (_, change, why) => {
  expect(manifestFaults(tea)).toEqual([])
  expect(manifestFaults({ ...tea, ...change }).join()).toContain(why)
})

test('refused: a public any', () => {
  const report = `// @public any
export function any<T>(type: T): Any<T>;
  any: boolean;
  readonly kind: 'any' | "any";
`
  expect(saysAny(report)).toEqual([])
  const lines = [
    'export const a: any;',
    'b(c: any): void;',
    'readonly d: readonly any[];',
    'e: Map<string, any>;',
    'f: string | any;',
  ]
  for (const line of lines) expect(saysAny(report + line)).toEqual([line])
})

test('what knip finds is told with its heading', () => {
  expect(
    readFindings('Unused files (1)\npackages/a/src/x.ts \nUnused exports (1)\nsip  function  packages/a/src/y.ts:1:2\n'),
  ).toEqual(['unused files: packages/a/src/x.ts', 'unused exports: sip function packages/a/src/y.ts:1:2'])
})

test('an example becomes CommonJS line by line', () => {
  const code = "import { a } from 'a'\nimport {\n  b,\n} from 'b'\n\nconsole.log(await a(b))\n"
  expect(commonJsOf({ code, language: 'ts', prints: [] })).toBe(
    "import { a } from 'a'\nimport {\n  b,\n} from 'b'\nexport const done: Promise<void> = (async (): Promise<void> => {\n\nconsole.log(await a(b))\n})()\n",
  )
})
