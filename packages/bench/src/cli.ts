import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@heddle/runtime'
import { benchCases } from './cases/index.js'
import { createGuard } from './guard.js'
import { main } from './main.js'
import { renewPage } from './performance-page.js'
import { choosePlacement, moveAside } from './placement.js'
import { createCpuAccounting } from './proc.js'
import { runCase } from './run-case.js'

const PAGE = join(import.meta.dirname, '../../../docs/performance.md')
const QUIET_MS = 1000

const placement = choosePlacement()
const guard = createGuard(createCpuAccounting())
const cases = benchCases()

process.exitCode = await main(process.argv.slice(2), cases, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  run(bench, { rounds, seconds, loaded }) {
    moveAside(placement)
    return runCase(bench, {
      rounds,
      effort: { warmupSeconds: Math.max(1, seconds / 2), measureSeconds: seconds, scale: 1 },
      placement,
      guard,
      built: true,
      loaded,
      quietMs: QUIET_MS,
      progress: (text) => void process.stderr.write(`${text}\n`),
      sleep,
    })
  },
  async publish(rows) {
    const before = existsSync(PAGE) ? await readFile(PAGE, 'utf8') : undefined
    const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${cpus().length} cores, ${process.platform}`
    const date = new Date(systemClock.now()).toISOString().slice(0, 10)
    await writeFile(PAGE, renewPage(before, cases, rows, { date, node: `Node ${process.versions.node}`, machine }))
  },
})
