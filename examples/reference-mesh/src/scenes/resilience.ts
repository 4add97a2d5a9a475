import type { Scene } from '../scene.js'

/** S-RT-11. */
export const resilience: Scene = {
  title: 'Resilience: two failures that no client sees',
  async run(mesh, report) {
    await mesh.apply('retries.yaml', 'retries.yaml')
    const { last } = await mesh.call('apps-client', { host: 'apps-svc-v1', path: '/flaky?key=retries&times=2' })
    report.check(last.status === 200, `the app answers 503 twice; the client sees ${last.status}`)
    report.check(
      last.headers['x-envoy-attempt-count'] === '3',
      `x-envoy-attempt-count is ${last.headers['x-envoy-attempt-count'] ?? 'absent'}`,
    )
    await mesh.remove('retries.yaml')
  },
}
