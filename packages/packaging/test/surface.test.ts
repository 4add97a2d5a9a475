import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publicPackages } from '../src/packages.js'
import { type ApiReporter, createApiReporter } from '../src/surface/api-report.js'
import { checkApi, checkExports, leftOver } from '../src/surface/check.js'

// What `pnpm packaging` has installed; without it nothing is downloaded for a test.
const MODULES = resolve(import.meta.dirname, '../../../node_modules/.cache/heddle-packaging/sources/node_modules')
const here = existsSync(join(MODULES, '@microsoft/api-extractor'))

const TEA = 'export declare function brew(grams: number): string;\n'

describe.skipIf(!here)('a small package and its snapshots (skipped: run `pnpm packaging` once, it brings api-extractor)', () => {
  const root = mkdtempSync(join(tmpdir(), 'heddle-surface-'))
  const [names, signatures] = [join(root, 'exports'), join(root, 'api')]
  const folder = join(root, 'packages/tea')
  let report: ApiReporter

  const declare = (text: string): void => writeFileSync(join(folder, 'dist/index.d.ts'), text)
  const faults = (update = false): readonly string[] => {
    const one = publicPackages(root)[0]!
    return [checkExports(names, one, update), ...checkApi(signatures, one, update, report)].flatMap((kept) => kept.faults)
  }

  beforeAll(() => {
    mkdirSync(join(folder, 'dist'), { recursive: true })
    const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } }
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: '@heddle/tea', version: '1.0.0', type: 'module', exports }),
    )
    writeFileSync(join(folder, 'tsconfig.json'), '{}')
    report = createApiReporter(MODULES, join(root, 'work'))
    declare(TEA)
    faults(true)
  })
  afterAll(() => rmSync(root, { recursive: true }))

  test('what has not changed passes', () => {
    declare(TEA)
    expect(faults()).toEqual([])
  })

  test.each([
    ['a changed name', 'export declare function make(grams: number): string;\n', ['gone: . brew', 'new: . make']],
    [
      'a changed signature',
      'export declare function brew(grams: string): string;\n',
      ['new: export function brew(grams: string): string;'],
    ],
    [
      'a public any',
      'export declare function brew(grams: any): string;\n',
      ['a public any: export function brew(grams: any): string;'],
    ],
    [
      'a type that is any by a back door',
      'declare const x: any;\nexport type Leaf = typeof x;\nexport declare function brew(grams: number): string;\n',
      ['new: . type Leaf', 'a public any: export const x: any;'],
    ],
  ])('refused: %s', (_, text, wanted) => {
    declare(text)
    const found = faults()
    for (const one of wanted) expect(found).toContainEqual(one)
  })

  test('refused: a snapshot of something that is gone', () => {
    expect(leftOver(names, [], false)).toEqual(['tea.txt'])
    expect(leftOver(names, [{ file: 'tea.txt', faults: [] }], false)).toEqual([])
  })
})
