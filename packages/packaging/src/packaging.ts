import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildDeclarations } from './build.js'
import type { Cell } from './checks/check.js'
import { knipFaults } from './checks/knip.js'
import { packageFaults } from './checks/manifests.js'
import { publicPackages } from './packages.js'
import { createApiReporter } from './surface/api-report.js'
import { checkApi, checkExports, type Kept, leftOver } from './surface/check.js'
import { sweep } from './sweep.js'
import { formatVerdict } from './table.js'
import { installTools } from './tools.js'

const USAGE = `pnpm packaging [--update]

What can be told of the public packages without packing them: package.json files, public names (packages/packaging/exports), signatures
(packages/packaging/api, by api-extractor), and what is unused or unlisted (knip).
  --update   takes names and signatures as they are for the wanted ones
`

async function check(root: string, update: boolean, work: string): Promise<readonly Cell[]> {
  const [modules] = await Promise.all([installTools(root, 'sources'), buildDeclarations(root)])
  const packages = publicPackages(root)
  const report = createApiReporter(modules, work)
  const [names, signatures] = ['exports', 'api'].map((folder) => join(root, 'packages/packaging', folder)) as [string, string]
  const cells: Cell[] = []
  const kept: Kept[] = []
  const cell = (about: string, what: string, faults: readonly string[]): void =>
    void cells.push({ package: about, check: what, ok: faults.length === 0, faults })
  for (const one of packages) {
    sweep(one.folder)
    cell(one.name, 'package.json', packageFaults(root, one))
    if (one.manifest.exports === undefined) continue
    const own = [checkExports(names, one, update), ...checkApi(signatures, one, update, report)]
    for (const { file, faults } of own) cell(one.name, file, faults)
    kept.push(...own)
  }
  const left = [names, signatures].flatMap((folder) => leftOver(folder, kept, update))
  cell(
    '@heddle/packaging',
    'snapshots',
    left.map((file) => `${file} is of no entry point: pnpm packaging --update`),
  )
  cell('repository', 'knip', await knipFaults(root, modules))
  return cells
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { update: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const work = mkdtempSync(join(tmpdir(), 'heddle-packaging-'))
  try {
    const cells = await check(resolve(import.meta.dirname, '../../..'), values.update, work)
    process.stdout.write(formatVerdict(cells))
    return cells.every(({ ok }) => ok) ? 0 : 1
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

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
