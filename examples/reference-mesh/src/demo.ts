import { formatProxies } from './keep.js'
import { startReferenceMesh } from './mesh.js'
import { createReport } from './report.js'
import { scenes } from './scenes/index.js'

// The reference mesh: starts everything, walks the scenes, tells what it measured. Exit 0: all held; 1: something was missed.
const keep = process.argv.includes('--keep')
const unknown = process.argv.slice(2).filter((argument) => argument !== '--keep' && argument !== '--')
if (unknown.length > 0) {
  console.error(`unknown option ${unknown[0]}. usage: demo [--keep]`)
  process.exit(64)
}

const report = createReport()
const begin = performance.now()
report.section('The reference mesh')
const mesh = await startReferenceMesh((what) => report.progress(`${what} ready`))
const stop = async (code: number): Promise<never> => {
  await mesh.stop()
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(130))

report.check(
  true,
  `${mesh.apps.length} apps with sidecars, a gateway and a control plane are up after ${((performance.now() - begin) / 1000).toFixed(1)} s`,
)
let passed = 0
for (const scene of scenes) {
  const before = report.misses.length
  report.section(scene.title)
  await scene
    .run(mesh, report)
    .catch((error: unknown) => report.check(false, error instanceof Error ? error.message : String(error)))
  if (report.misses.length === before) passed++
}

const failed = scenes.length - passed
console.log(`\n${((performance.now() - begin) / 1000).toFixed(1)} s`)
for (const miss of report.misses) console.log(`missed: ${miss}`)
console.log(`${passed} passed, ${failed} failed`)
if (keep) {
  console.log(formatProxies(mesh))
} else {
  await stop(failed === 0 ? 0 : 1)
}
