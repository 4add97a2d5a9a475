import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'

/**
 * Broken changes in a small tree, put before the very programs and settings of `pnpm check`. The other refusals: cycles, floors, time and
 * size in src/architecture/architecture.test.ts, expectations in src/conformance.test.ts, packages in packages/packaging.
 */

const ROOT = resolve(import.meta.dirname, '../../..')
const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

const DEPENDENCIES: Readonly<Record<string, object>> = {
  runtime: {},
  translator: { '@heddle/runtime': 'workspace:^' },
  'proxy-core': { '@heddle/runtime': 'workspace:^', '@grpc/grpc-js': '^1.14.7' },
}

/** A tree with the repository's settings, package.json files as above, and these sources. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'heddle-refusals-'))
  made.push(root)
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const settings of ['biome.json', 'turbo.json', 'tsconfig.base.json']) cpSync(join(ROOT, settings), join(root, settings))
  put('package.json', JSON.stringify({ name: 'small', private: true, packageManager: 'pnpm@10.34.9' }))
  put('pnpm-workspace.yaml', 'packages:\n  - packages/*\n')
  put(
    'tsconfig.json',
    JSON.stringify({ extends: './tsconfig.base.json', compilerOptions: { types: [], noEmit: true }, include: ['packages'] }),
  )
  for (const [name, dependencies] of Object.entries(DEPENDENCIES))
    put(
      `packages/${name}/package.json`,
      JSON.stringify({ name: `@heddle/${name}`, version: '0.0.0', type: 'module', dependencies }),
    )
  for (const [path, text] of Object.entries(files)) put(`packages/${path}`, text)
  return root
}

function says(cwd: string, program: string, ...args: readonly string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin', program), args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1' },
  })
  return { code: status, said: `${stdout}${stderr}` }
}

// The repository asks git which files to skip; a small tree has no git.
const lint = (root: string): ReturnType<typeof says> =>
  says(root, 'biome', 'lint', '--vcs-enabled=false', '--max-diagnostics=50', '--reporter=github')
const boundaries = (root: string): ReturnType<typeof says> => says(root, 'turbo', 'boundaries')
const types = (root: string): ReturnType<typeof says> => says(root, 'tsc', '-p', 'tsconfig.json', '--pretty', 'false')

const GOOD = {
  'runtime/src/index.ts': 'export const one = 1 as const\n',
  'translator/src/index.ts': "import { one } from '@heddle/runtime'\n\nexport const two: number = one + 1\n",
  'proxy-core/src/net/socket.ts': "import { connect } from 'node:net'\n\nexport const open = (): unknown => connect(1)\n",
  'proxy-core/src/xds/grpc-transport.ts': "import { Client } from '@grpc/grpc-js'\n\nexport const make = (): unknown => Client\n",
}

test('a tree that does all right passes', () => {
  const root = tree(GOOD)
  expect(lint(root)).toMatchObject({ code: 0 })
  expect(boundaries(root)).toMatchObject({ code: 0, said: expect.stringContaining('no issues found') })
})

test.each([
  [
    'setTimeout in translator',
    'translator/src/a.ts',
    'export const a = (): unknown => setTimeout(a, 1)\n',
    'noRestrictedGlobals',
  ],
  ['an any', 'translator/src/a.ts', 'export const a = (b: any): unknown => b\n', 'noExplicitAny'],
  ['a module of Node in a browser', 'translator/src/a.ts', "export { join } from 'node:path'\n", 'noRestrictedImports'],
  ['Buffer in a browser', 'runtime/src/a.ts', 'export const a = (): unknown => Buffer.alloc(1)\n', 'noRestrictedGlobals'],
  ['a file system behind no door', 'proxy-core/src/a.ts', "export { readFileSync } from 'node:fs'\n", 'noRestrictedImports'],
  ['a socket behind no door', 'proxy-core/src/route/a.ts', "export { connect } from 'node:net'\n", 'noRestrictedImports'],
  ['gRPC behind no door', 'proxy-core/src/xds/a.ts', "export type { Client } from '@grpc/grpc-js'\n", 'noRestrictedImports'],
  ['gRPC behind the sockets’ door', 'proxy-core/src/net/a.ts', "export { Client } from '@grpc/grpc-js'\n", 'noRestrictedImports'],
  [
    'a lazy import behind no door',
    'proxy-core/src/a.ts',
    "export const a = (): unknown => import('node:tls')\n",
    'noRestrictedImports',
  ],
  ['an unlisted dependency', 'translator/src/a.ts', "export { load } from 'js-yaml'\n", 'noUndeclaredDependencies'],
  ['a default export', 'translator/src/a.ts', 'export default 1\n', 'noDefaultExport'],
])('the linter refuses %s', (_, path, text, rule) => {
  const { code, said } = lint(tree({ ...GOOD, [path]: text }))
  expect(code).not.toBe(0)
  expect(said.match(/title=lint\/\w+\/(\w+),file=[^,]*packages\/([^,]*)/)?.slice(1)).toEqual([rule, path])
})

test.each([
  ['an unlisted dependency', "export { load } from 'js-yaml'\n", 'cannot import package `js-yaml`'],
  ['an unlisted package of ours', "export * from '@heddle/proxy-core'\n", 'cannot import package `@heddle/proxy-core`'],
  ['a file of another package', "export * from '../../runtime/src/index.js'\n", 'leaves the package'],
])('turbo refuses %s', (_, text, why) => {
  const { code, said } = boundaries(tree({ ...GOOD, 'translator/src/a.ts': text }))
  expect(code).not.toBe(0)
  expect(said).toContain(why)
})

test.each([
  ['an export whose type is left to be guessed', 'export const a = JSON.parse("1")\n', 'TS9010'],
  ['a parameter that is any because nobody said', 'export function a(b): void {\n  b()\n}\n', 'TS7006'],
  ['an enum', 'export enum A {\n  b = 1,\n}\n', 'TS1294'],
])('the compiler refuses %s', (_, text, error) => {
  const { code, said } = types(tree({ 'runtime/src/a.ts': text }))
  expect(code).not.toBe(0)
  expect(said).toContain(`packages/runtime/src/a.ts(1`)
  expect(said).toContain(error)
})
