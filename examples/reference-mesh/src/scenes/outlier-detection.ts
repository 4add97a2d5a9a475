import type { Scene } from '../scene.js'

const FAILURES = 3

export const outlierDetection: Scene = {
  title: 'Outlier detection: who fails three times is left out, and comes back',
  async run(mesh, report) {
    await mesh.apply('routing.yaml', 'outlier-detection.yaml')
    // One after another: what is under way while the third fails would fail, too.
    const { bodies, statuses } = await mesh.call('apps-client', {
      host: 'apps-svc-all',
      path: '/only?app=c1',
      count: 40,
      concurrency: 1,
    })
    report.check(
      statuses['503'] === FAILURES && bodies['c1'] === 40 - FAILURES,
      `c2 fails: ${statuses['503'] ?? 0} of 40 requests see it, then all go to c1 (${bodies['c1'] ?? 0})`,
    )
    const back = await mesh.until(
      async () => (await mesh.call('apps-client', { host: 'apps-svc-all', count: 10 })).bodies['c2'] ?? 0,
      (answers) => answers > 0,
      'c2 is asked again',
    )
    report.check(back > 0, `after its second c2 is asked again: ${back} of 10 answers`)
    await mesh.apply('routing.yaml', 'ab-by-header.yaml')
  },
}
