import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPackages } from './build.js'
import { packagesDocument } from './document.js'
import { ownNode } from './nodes.js'
import { packTest } from './pack-test.js'
import { formatTables, formatVerdict, passedCells } from './table.js'

const USAGE = `pnpm pack-test [--node 22,24] [--update] [--no-build] [--keep] [-o json]

  --node      run the packages on these versions of Node too (npm brings them)
  --update    write docs/packages.md
  --no-build  the packages are built already
  --keep      leave the folder of the consumer and say where it is
  -o json     one object: { cells: [{ package, check, ok, shows, faults }], passed, failed }
`

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      node: { type: 'string', default: '' },
      update: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'text' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const root = resolve(import.meta.dirname, '../../..')
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  if (!values['no-build']) {
    log('building')
    await buildPackages(root)
  }
  const work = mkdtempSync(join(tmpdir(), 'heddle-pack-'))
  try {
    const { cells } = await packTest({
      root,
      work,
      nodes: values.node
        .split(',')
        .map(Number)
        .filter((major) => major > 0 && major !== ownNode.major),
      log,
    })
    if (values.update) {
      const when = `Last written on ${new Date().toISOString().slice(0, 10)}, by Node ${process.version}.`
      writeFileSync(join(root, 'docs/packages.md'), packagesDocument(cells, when))
    }
    const failed = cells.filter(({ ok }) => !ok).length
    if (values.output === 'json')
      process.stdout.write(`${JSON.stringify({ cells, passed: passedCells(cells).length, failed })}\n`)
    else process.stdout.write(`\n${formatTables(cells)}\n${formatVerdict(cells)}`)
    return failed === 0 ? 0 : 1
  } finally {
    if (values.keep) log(`kept: ${work}`)
    else rmSync(work, { recursive: true, force: true })
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
