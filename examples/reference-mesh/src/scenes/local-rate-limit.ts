import type { Scene } from '../scene.js'

const TOKENS = 10
const REQUESTS = 40

export const localRateLimit: Scene = {
  title: 'Local rate limit: ten requests, then 429',
  async run(mesh, report) {
    await mesh.apply('local-rate-limit.yaml', 'local-rate-limit.yaml')
    const { statuses } = await mesh.call('apps-client', { host: 'apps-svc-v2', count: REQUESTS })
    report.check(
      statuses['200'] === TOKENS && statuses['429'] === REQUESTS - TOKENS,
      `of ${REQUESTS} requests ${statuses['200'] ?? 0} get 200 and ${statuses['429'] ?? 0} get 429`,
    )
    await mesh.remove('local-rate-limit.yaml')
    const { last } = await mesh.call('apps-client', { host: 'apps-svc-v2' })
    report.check(last.status === 200, `without the limit: ${last.status}`)
  },
}
