import type { Scene } from '../scene.js'

const LOAD_MS = 4000

/** S-AR-01. */
export const controlPlaneRestart: Scene = {
  title: 'The control plane is killed and started again under load',
  async run(mesh, report) {
    report.progress(`${LOAD_MS / 1000} s of requests`)
    const load = mesh.call('apps-client', { host: 'apps-svc-all', forMs: LOAD_MS, concurrency: 8 })
    await mesh.sleep(500)
    const down = await mesh.restartControlPlane()
    const { statuses, errors } = await load
    const answered = Object.values(statuses).reduce((sum, n) => sum + n, 0)
    report.check(
      errors.length === 0 && statuses['200'] === answered && answered > 0,
      `${answered} requests, ${answered - (statuses['200'] ?? 0) + errors.length} failed`,
    )
    report.note(`SIGKILL → all proxies in sync with the new one: ${down.ms.toFixed(0)} ms`)
    const change = await mesh.apply('routing.yaml', 'canary-0-100.yaml')
    const { bodies } = await mesh.call('apps-client', { host: 'apps-svc-all', count: 20 })
    report.check(
      change.acks === mesh.proxies.length && bodies['c2'] === 20,
      `all ${change.acks} proxies are back and take a new route (${JSON.stringify(bodies)})`,
    )
  },
}
