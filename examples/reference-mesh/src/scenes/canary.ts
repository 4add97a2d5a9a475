import type { ReferenceMesh } from '../mesh.js'
import type { Report } from '../report.js'
import type { Scene } from '../scene.js'

const REQUESTS = 1000
// Four standard deviations of 1,000 throws at 10 %: a right mesh misses it once in 16,000 runs.
const TOLERANCE = 38

async function shift(mesh: ReferenceMesh, report: Report, file: string, only: string): Promise<void> {
  const change = await mesh.apply('routing.yaml', file)
  const first = await mesh.call('apps-client', { host: 'apps-svc-all', count: 1 })
  const later = await mesh.call('apps-client', { host: 'apps-svc-all', count: 100 })
  const firstName = Object.keys(first.bodies)[0]
  report.check(change.acks === mesh.proxies.length, `${file}: file written → last sidecar's ACK in ${change.ms.toFixed(0)} ms`)
  report.check(firstName === only, `the first request after it went to ${firstName}`)
  report.check(later.bodies[only] === 100, `and ${later.bodies[only] ?? 0} of the next 100 to ${only}: weight 0 gets none`)
}

/** S-RT-03, S-RT-04. */
export const canary: Scene = {
  title: 'Canary 90/10, then 0/100 and 100/0 by rewriting the file',
  async run(mesh, report) {
    report.progress(`${REQUESTS} requests to apps-svc-all`)
    const { bodies, statuses, errors } = await mesh.call('apps-client', {
      host: 'apps-svc-all',
      count: REQUESTS,
      concurrency: 16,
    })
    const [c1 = 0, c2 = 0] = [bodies['c1'], bodies['c2']]
    report.check(
      statuses['200'] === REQUESTS,
      `${statuses['200'] ?? 0} of ${REQUESTS} answers are 200${errors.length === 0 ? '' : `; ${errors[0]}`}`,
    )
    report.check(Math.abs(c2 - REQUESTS / 10) <= TOLERANCE, `c1 ${c1}, c2 ${c2}: wanted 900 and 100, ± ${TOLERANCE}`)
    await shift(mesh, report, 'canary-0-100.yaml', 'c2')
    await shift(mesh, report, 'canary-100-0.yaml', 'c1')
  },
}
