import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Packed } from '../pack.js'
import { exampleOf, missingPrint } from '../readme.js'
import { lastWords, run } from '../run.js'
import { type Cell, type CheckContext, cellOf } from './check.js'

const README = [
  ['readme', 'readme.mjs'],
  ['readme cjs', 'readme.cjs'],
] as const

/**
 * The README's first example as written: as a module, and as what the compiler makes of it for CommonJS. It must print, keep what its
 * comments promise, and either end by itself or be well while it serves.
 */
export async function checkReadme(one: Packed, { consumer, node }: CheckContext): Promise<readonly Cell[]> {
  const example = exampleOf(readFileSync(join(one.package.folder, 'README.md'), 'utf8'))
  if (example === undefined) return [cellOf(one, 'readme', ['the README has no ```ts or ```js example'])]
  const cells: Cell[] = []
  for (const [check, file] of README) {
    const finished = await run(node.path, [join('out', one.package.short, file)], {
      cwd: consumer.folder,
      timeoutMs: 60_000,
      enough: (stdout) => stdout.includes('\n') && missingPrint(example.prints, stdout) === undefined,
    })
    const missing = missingPrint(example.prints, finished.stdout)
    cells.push(
      cellOf(one, check, [
        ...(finished.code === 0 || finished.stopped ? [] : [lastWords(finished)]),
        ...(finished.stdout.trim() === '' ? ['it prints nothing'] : []),
        ...(missing === undefined ? [] : [`it does not print: ${missing}`]),
      ]),
    )
  }
  return cells
}

/** Every entry point loads: as a module, and by the require() calls that the compiler makes for CommonJS. */
export async function checkEntries(one: Packed, { consumer, node }: CheckContext): Promise<readonly Cell[]> {
  const cells: Cell[] = []
  for (const [check, file] of [
    ['import', 'entries.mjs'],
    ['require', 'entries.cjs'],
  ] as const) {
    const finished = await run(node.path, [join('out', one.package.short, file)], { cwd: consumer.folder })
    const loaded = finished.code === 0 && Number(finished.stdout) > 0
    cells.push(cellOf(one, check, loaded ? [] : [lastWords(finished)]))
  }
  return cells
}

const MEASURE = `const start = performance.now()
await import(process.argv[1])
const ms = performance.now() - start
console.log(JSON.stringify({ ms, rss: process.memoryUsage().rss }))
process.exit(0)`

/** Milliseconds of a first import of the root entry in a fresh process (the best of three) and the memory of the process after it. */
export async function measureImport(one: Packed, { consumer, node }: CheckContext): Promise<readonly Cell[]> {
  const runs: { ms: number; rss: number }[] = []
  for (let i = 0; i < 3; i++) {
    const args = ['--input-type=module', '-e', MEASURE, one.package.name]
    const finished = await run(node.path, args, { cwd: consumer.folder })
    if (finished.code !== 0) return [cellOf(one, 'import ms', [lastWords(finished)])]
    runs.push(JSON.parse(finished.stdout) as { ms: number; rss: number })
  }
  const least = (pick: (one: { ms: number; rss: number }) => number): number => Math.min(...runs.map(pick))
  return [
    cellOf(one, 'import ms', [], least(({ ms }) => ms).toFixed(0)),
    cellOf(one, 'RSS MB', [], (least(({ rss }) => rss) / 2 ** 20).toFixed(0)),
  ]
}

const MISTAKE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tea, namespace: shop}
spec:
  hots: [tea]
`

/** The command as npm links it: it tells its version, and finds the mistake in a file. */
export async function checkCommand(one: Packed, { consumer, node }: CheckContext): Promise<Cell> {
  const [[command = ''] = []] = Object.entries(one.manifest.bin ?? {})
  const file = join(consumer.folder, 'mistake.yaml')
  writeFileSync(file, MISTAKE)
  const linked = join('node_modules/.bin', command)
  const call = (...args: string[]): ReturnType<typeof run> =>
    node.path === process.execPath
      ? run('npx', ['--no-install', command, ...args], { cwd: consumer.folder })
      : run(node.path, [linked, ...args], { cwd: consumer.folder })
  const version = await call('version')
  const validate = await call('validate', '-f', file)
  const found = validate.code === 1 && validate.stdout.includes('mistake.yaml:5')
  return cellOf(one, 'command', [
    ...(version.code === 0 && version.stdout.includes(one.manifest.version) ? [] : [`version: ${lastWords(version)}`]),
    ...(found ? [] : [`validate must exit 1 and point at line 5: ${lastWords(validate)}`]),
  ])
}
