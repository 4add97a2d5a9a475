import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'

// A project of somebody else's, on the declarations that we publish.
const PACKAGE = path.join(import.meta.dirname, '..')
const RUNTIME = path.join(PACKAGE, '../runtime')
const TSC = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-consumer-'))
const declarations = path.join(folder, 'dist')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function project(name: string, text: string): string {
  writeFileSync(path.join(folder, `${name}.ts`), text)
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true, noEmit: true },
    ...{ module: 'NodeNext', target: 'ES2022', lib: ['ES2023'], types: [] },
  }
  const file = path.join(folder, `tsconfig.${name}.json`)
  writeFileSync(file, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
  return file
}

const check = (file: string, ...flags: readonly string[]): string =>
  spawnSync(process.execPath, [TSC, '-p', file, ...flags], { cwd: folder, encoding: 'utf8' }).stdout

/** What the compiler counts and times. */
function diagnosticsOf(file: string): Readonly<Record<'Types' | 'Symbols' | 'Instantiations' | 'Total time', number>> {
  const text = check(file, '--extendedDiagnostics')
  const read = (name: string): number => Number(new RegExp(`^${name}: *([\\d.]+)`, 'm').exec(text)?.[1])
  return {
    ...{ Types: read('Types'), Symbols: read('Symbols'), Instantiations: read('Instantiations') },
    'Total time': read('Total time'),
  }
}

it('the whole API is cheap to check for who uses it, and its mistakes are errors', () => {
  // On a clone that was never built the one dependency has no declarations yet.
  if (!existsSync(path.join(RUNTIME, 'dist/index.d.ts')))
    execFileSync(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: RUNTIME })
  const options = ['-p', 'tsconfig.build.json', '--outDir', declarations, '--declarationMap', 'false']
  execFileSync(process.execPath, [TSC, ...options], { cwd: PACKAGE })
  mkdirSync(path.join(folder, 'node_modules/@heddle'), { recursive: true })
  symlinkSync(RUNTIME, path.join(folder, 'node_modules/@heddle/runtime'))

  const modules = readdirSync(path.join(declarations, 'gen'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts') && file !== 'all.d.ts')
    .map((file) => `./dist/gen/${file.replaceAll(path.sep, '/').replace(/\.d\.ts$/, '.js')}`)
  expect(modules.length).toBeGreaterThan(300)
  const imports = modules.map((file, i) => `import * as m${i} from '${file}'\n`).join('')
  const all = project('all', `${imports}export const all = [${modules.map((_, i) => `m${i}`).join(', ')}]\n`)
  const nothing = project('nothing', 'export const all = []\n')
  expect(check(all)).toBe('')
  const [whole, none] = [diagnosticsOf(all), diagnosticsOf(nothing)]
  const added = (what: keyof typeof whole): number => whole[what] - none[what]
  console.log(`type-checking a consumer of all ${modules.length} modules adds ${added('Total time').toFixed(2)} s`)
  // What a second's checking is made of, with room for a quarter more: no other process can slow it down.
  expect(added('Types')).toBeLessThan(14_000)
  expect(added('Symbols')).toBeLessThan(15_000)
  expect(added('Instantiations')).toBeLessThan(22_000)

  const mistakes = [
    `const wrongEnum: Cluster = { type: 'EDSS' }`,
    `const wrongField: Cluster = { nmae: 'a' }`,
    `const wrongValue: Cluster = { connect_timeout: 5 }`,
    `const twoOfOneof: Route = { route: { cluster: 'a' }, redirect: {} }`,
    `const wrongAny = any(Router, { cluster_name: 'a' })`,
    `const noMessage = any({ name: 'Router' }, {})`,
  ]
  const wrong = project(
    'wrong',
    `import { any } from './dist/index.js'
import type { Cluster } from './dist/gen/envoy/config/cluster/v3.js'
import type { Route } from './dist/gen/envoy/config/route/v3.js'
import { Router } from './dist/gen/envoy/extensions/filters/http/router/v3.js'
export const right: Cluster = { name: 'a', type: 'EDS', connect_timeout: '1s', transport_socket: { typed_config: any(Router, {}) } }
${mistakes.map((line) => `export ${line}`).join('\n')}
`,
  )
  const lines = [...check(wrong).matchAll(/^wrong\.ts\((\d+),\d+\): error/gm)].map(([, line]) => Number(line))
  expect(lines).toEqual(mistakes.map((_, i) => i + 6))
}, 120_000)
