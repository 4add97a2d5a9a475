import type { ReferenceMesh } from '../mesh.js'
import type { Scene } from '../scene.js'

const REQUESTS = 50

async function servedBy(mesh: ReferenceMesh, app: string): Promise<number> {
  const { served } = await mesh.counters(app)
  return Object.values(served).reduce((sum, n) => sum + n, 0)
}

export const mirror: Scene = {
  title: 'Mirror: c2 gets a copy of what c1 answers',
  async run(mesh, report) {
    await mesh.apply('mirror.yaml', 'mirror.yaml')
    const before = await servedBy(mesh, 'apps-v2')
    const { bodies } = await mesh.call('apps-client', { host: 'apps-svc-v1', count: REQUESTS })
    report.check(bodies['c1'] === REQUESTS, `${bodies['c1'] ?? 0} of ${REQUESTS} answers came from c1`)
    // Nobody waits for copies: the last may still be on its way.
    const copies = await mesh.until(
      async () => (await servedBy(mesh, 'apps-v2')) - before,
      (n) => n >= REQUESTS,
      'c2 has its copies',
    )
    report.check(copies === REQUESTS, `c2 got ${copies} copies`)
    await mesh.remove('mirror.yaml')
  },
}
