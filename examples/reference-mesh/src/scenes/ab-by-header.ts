import type { Scene } from '../scene.js'

// `exact` is equality: nolen2 only starts like nolen, so it is not in the test group (mission X3).
const CASES: readonly { username?: string; wants: string }[] = [
  { username: 'nolen', wants: 'c1' },
  { wants: 'c2' },
  { username: 'nolen2', wants: 'c2' },
]
const REQUESTS = 50

/** S-RT-05. */
export const abByHeader: Scene = {
  title: 'A/B by header: username is exactly nolen',
  async run(mesh, report) {
    await mesh.apply('routing.yaml', 'ab-by-header.yaml')
    for (const { username, wants } of CASES) {
      const headers: Record<string, string> = username === undefined ? {} : { username }
      const { bodies } = await mesh.call('apps-client', { host: 'apps-svc-all', headers, count: REQUESTS })
      report.check(bodies[wants] === REQUESTS, `username ${username ?? 'absent'}: ${JSON.stringify(bodies)}`)
    }
  },
}
