import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { cellsOf, intoPage, renderMatrix, type TestReport } from '../src/matrix.js'

// Runs the interop tests with every tool required, and writes what came of it into docs/interop.md.
const root = resolve(import.meta.dirname, '../../..')
const page = join(root, 'docs/interop.md')
const folder = mkdtempSync(join(tmpdir(), 'heddle-matrix-'))
const outputFile = join(folder, 'report.json')

try {
  const args = [
    'vitest',
    'run',
    'packages/interop/test/',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${outputFile}`,
  ]
  const { status } = spawnSync('npx', args, { cwd: root, stdio: 'inherit', env: { ...process.env, HEDDLE_INTEROP: '1' } })
  const report = JSON.parse(readFileSync(outputFile, 'utf8')) as TestReport
  const date = new Date(report.startTime).toISOString().slice(0, 10)
  const cells = cellsOf(report)
  writeFileSync(page, intoPage(readFileSync(page, 'utf8'), renderMatrix(cells, date)))
  console.log(`${cells.length} cells are in ${page}`)
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
