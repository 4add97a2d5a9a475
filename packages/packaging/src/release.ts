import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPackages } from './build.js'
import type { Packed } from './pack.js'
import { packTest } from './pack-test.js'
import { lastWords, plainEnv, run } from './run.js'
import { formatTables, formatVerdict } from './table.js'

const USAGE = `pnpm release [--dry-run]

Builds, packs and checks every public package as pnpm pack-test does, then publishes them with changesets.
  --dry-run   says what would be published, and publishes nothing
`

/** The versions that waiting changesets ask for, by package; empty when none waits. Throws when changesets cannot tell. */
async function plannedVersions(root: string, work: string): Promise<ReadonlyMap<string, string>> {
  const file = join(work, 'changesets.json')
  const args = ['status', `--output=${relative(root, file)}`]
  const finished = await run(join(root, 'node_modules/.bin/changeset'), args, { cwd: root })
  if (!existsSync(file)) throw new Error(`changeset status: ${lastWords(finished)}`)
  const { releases } = JSON.parse(readFileSync(file, 'utf8')) as { releases: readonly { name: string; newVersion: string }[] }
  return new Map(releases.map(({ name, newVersion }) => [name, newVersion]))
}

/** Why this checkout must not be published yet. */
export function releaseFaults(state: { dirty: boolean; waiting: number; versions: readonly string[] }): readonly string[] {
  return [
    ...(state.dirty ? ['there are changes that are not committed'] : []),
    ...(state.waiting > 0 ? ['changesets wait: run `pnpm changeset version` and commit what it writes'] : []),
    ...(state.versions.includes('0.0.0') ? ['0.0.0 is the version before the first release'] : []),
    ...(new Set(state.versions).size > 1
      ? [`the packages have one version together: ${[...new Set(state.versions)].join(', ')}`]
      : []),
  ]
}

function plan(packed: readonly Packed[], planned: ReadonlyMap<string, string>): string {
  return packed
    .map(({ package: { name }, manifest: { version }, size, files }) => {
      const next = planned.get(name)
      const what = next === undefined || next === version ? version : `${version} -> ${next}`
      return `${name} ${what}, ${(size / 1024).toFixed(0)} KB, ${files.length} files\n`
    })
    .join('')
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const dryRun = values['dry-run']
  const root = resolve(import.meta.dirname, '../../..')
  const work = mkdtempSync(join(tmpdir(), 'heddle-release-'))
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  try {
    const planned = await plannedVersions(root, work)
    log('building')
    await buildPackages(root)
    const { packed, cells } = await packTest({ root, work, nodes: [], log })
    process.stdout.write(`\n${formatTables(cells)}\n`)
    if (cells.some(({ ok }) => !ok)) {
      process.stdout.write(formatVerdict(cells))
      return 1
    }
    const { stdout } = await run('git', ['status', '--porcelain'], { cwd: root })
    const versions = packed.map(({ manifest }) => manifest.version)
    const faults = releaseFaults({ dirty: stdout !== '', waiting: planned.size, versions })
    process.stdout.write(`${dryRun ? 'would publish' : 'publishing'}:\n${plan(packed, planned)}`)
    process.stdout.write(faults.map((fault) => `${dryRun ? 'before that' : 'refused'}: ${fault}\n`).join(''))
    if (dryRun || faults.length > 0) {
      process.stdout.write(formatVerdict(cells))
      return dryRun ? 0 : 1
    }
    // It asks for a one-time password where the registry wants one, so it has the terminal.
    return (
      spawnSync(join(root, 'node_modules/.bin/changeset'), ['publish'], { cwd: root, env: plainEnv(), stdio: 'inherit' })
        .status ?? 1
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename)
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      process.stdout.write('0 passed, 1 failed\n')
      process.exitCode = 1
    },
  )
