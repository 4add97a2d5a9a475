import type { Scene } from '../scene.js'

/** S-SE-01. */
export const mtls: Scene = {
  title: 'STRICT mTLS: identity on every hop',
  async run(mesh, report) {
    const plain = await mesh.plaintext('apps-v1')
    report.check(plain.refused, `plaintext to the inbound port of apps-v1: ${plain.what}`)
    const { last } = await mesh.call('apps-client', { host: 'apps-svc-v1', path: '/headers' })
    const xfcc = String(
      (JSON.parse(last.status === 200 ? last.body : '{}') as Record<string, unknown>)['x-forwarded-client-cert'] ?? 'absent',
    )
    report.check(
      last.status === 200 && xfcc.includes('URI=spiffe://cluster.local/ns/nolen/sa/apps-client'),
      `a sidecar's call: ${last.status}, and the app sees ${xfcc.replace(/Hash=[0-9a-f]+/, 'Hash=…')}`,
    )
  },
}
