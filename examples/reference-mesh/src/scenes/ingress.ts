import type { Scene } from '../scene.js'

/** S-RT-24. */
export const ingress: Scene = {
  title: 'Ingress through the gateway, by Host',
  async run(mesh, report) {
    const known = await mesh.outside('apps.example', '/')
    report.check(known.status === 200 && known.body === 'c1', `Host apps.example: ${known.status} from ${known.body} (subset v1)`)
    const unknown = await mesh.outside('nobody.example', '/')
    report.check(unknown.status === 404, `Host nobody.example: ${unknown.status}`)
  },
}
