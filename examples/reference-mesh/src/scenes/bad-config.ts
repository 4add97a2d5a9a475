import { formatDiagnostic } from '@heddle/runtime'
import type { Scene } from '../scene.js'

/** S-AR-05. */
export const badConfig: Scene = {
  title: 'A bad VirtualService: refused, and nothing else notices',
  async run(mesh, report) {
    mesh.copy('broken.yaml', 'bad-virtual-service.yaml')
    const problems = await mesh.waitForDiagnostics((all) =>
      all.filter((d) => d.severity === 'error' && d.origin?.file.endsWith('broken.yaml') === true),
    )
    report.check(problems.length > 0, `the control plane refuses it with ${problems.length} errors`)
    for (const problem of problems) report.note(formatDiagnostic(problem))
    report.check(
      problems.every((p) => p.path !== '' && (p.origin?.line ?? 0) > 0),
      'each names file, line and path',
    )
    const { statuses } = await mesh.call('apps-client', { host: 'apps-svc-v2', count: 50 })
    report.check(statuses['200'] === 50, `apps-svc-v2 still answers: ${JSON.stringify(statuses)}`)
    const change = await mesh.apply('routing.yaml', 'canary-100-0.yaml')
    report.check(change.acks > 0, `a good change beside it still arrives, in ${change.ms.toFixed(0)} ms`)
    mesh.discard('broken.yaml')
  },
}
