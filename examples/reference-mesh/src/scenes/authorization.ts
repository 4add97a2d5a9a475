import type { Scene } from '../scene.js'

const POLICY = 'ns[nolen]-policy[info-for-client]-rule[0]'

/** S-SE-07. */
export const authorization: Scene = {
  title: 'AuthorizationPolicy: GET /info for one service account, nothing else',
  async run(mesh, report) {
    await mesh.apply('authorization.yaml', 'authorization.yaml')
    const calls = [
      { from: 'apps-client', method: 'GET', path: '/info', wants: 200 },
      { from: 'apps-client', method: 'POST', path: '/info', wants: 403 },
      { from: 'apps-client', method: 'GET', path: '/', wants: 403 },
      { from: 'apps-v2', method: 'GET', path: '/info', wants: 403 },
    ]
    for (const { from, method, path, wants } of calls) {
      const { last } = await mesh.call(from, { host: 'apps-svc-v1', method, path })
      report.check(
        last.status === wants,
        `${from} ${method} ${path}: ${last.status}${last.status === 403 ? ` ${JSON.stringify(last.body)}` : ''}`,
      )
    }
    const named = await mesh.waitForLog('apps-v1', (line) => line.includes('denied') && line.includes(POLICY))
    report.check(named !== undefined, `the proxy's log ${named === undefined ? 'does not name' : 'names'} the policy ${POLICY}`)
    if (named !== undefined) report.note(named)
    await mesh.remove('authorization.yaml')
    const { last } = await mesh.call('apps-v2', { host: 'apps-svc-v1', path: '/info' })
    report.check(last.status === 200, `without the policy apps-v2 GET /info: ${last.status}`)
  },
}
