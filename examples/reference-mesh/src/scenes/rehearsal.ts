import type { Scene } from '../scene.js'

const RULE = 'ns[nolen]-peer-authentication[soon-strict]-strict'

/** What would STRICT break? Asked of real traffic before it is switched on. */
export const rehearsal: Scene = {
  title: 'A rehearsal of STRICT: plaintext still gets in, and the proxy tells whom STRICT would keep out',
  async run(mesh, report) {
    await mesh.apply('rehearsal.yaml', 'rehearsal.yaml')
    const plain = await mesh.plaintext('apps-v1')
    report.check(plain.what.includes('200'), `plaintext to apps-v1: ${plain.what}`)
    const { last } = await mesh.call('apps-client', { host: 'apps-svc-v1' })
    report.check(last.status === 200, `a sidecar's call: ${last.status}`)
    const told = await mesh.waitForLog('apps-v1', (line) => line.includes('dry run') && line.includes(RULE))
    report.check(told !== undefined, `the proxy's log ${told === undefined ? 'does not name' : 'names'} the rule ${RULE}`)
    if (told !== undefined) report.note(told)
    const denied = (await mesh.metrics('apps-v1', 'envoy_rbac_shadow_denied')).reduce((sum, { value }) => sum + value, 0)
    report.check(denied === 1, `connections that STRICT would have kept out: ${denied}`)
    await mesh.remove('rehearsal.yaml')
    const strict = await mesh.plaintext('apps-v1')
    report.check(strict.refused, `with STRICT in force again: ${strict.what}`)
  },
}
