import { serveGraph } from './graph.js'
import { keepText, trickle } from './keep.js'
import { type ReferenceMesh, startReferenceMesh } from './mesh.js'
import { createReport } from './report.js'
import { scenes } from './scenes/index.js'

// The reference mesh: starts everything, walks the scenes, tells what it measured. Exit 0: all held; 1: something was missed.
const keep = process.argv.includes('--keep')
const unknown = process.argv.slice(2).find((argument) => argument !== '--keep' && argument !== '--')
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}. usage: demo [--keep]`)
  process.exit(64)
}

const report = createReport()
const begin = performance.now()
const seconds = (): string => ((performance.now() - begin) / 1000).toFixed(1)

let mesh: ReferenceMesh | undefined
// Programs end with this process, whatever way it ends; a mesh that is up is told to stop, so that its proxies drain.
async function stop(code: number): Promise<never> {
  await mesh?.stop()
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(130))

report.section('The reference mesh')
mesh = await startReferenceMesh((what) => report.progress(`${what} ready`))
report.check(true, `${mesh.apps.length} apps with sidecars, a gateway and a control plane are up after ${seconds()} s`)

let failed = 0
for (const scene of scenes) {
  const before = report.misses.length
  report.section(scene.title)
  try {
    await scene.run(mesh, report)
  } catch (error) {
    report.check(false, error instanceof Error ? error.message : String(error))
  }
  if (report.misses.length > before) failed++
}

console.log(`\n${seconds()} s`)
for (const miss of report.misses) console.log(`missed: ${miss}`)
console.log(`${scenes.length - failed} passed, ${failed} failed`)
if (keep) {
  const { url } = await serveGraph(mesh)
  trickle(mesh)
  console.log(keepText(mesh, url))
} else await stop(failed === 0 ? 0 : 1)
