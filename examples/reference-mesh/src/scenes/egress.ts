import type { Scene } from '../scene.js'

/** S-RT-26: REGISTRY_ONLY, and the ServiceEntry that opens the way. */
export const egress: Scene = {
  title: 'REGISTRY_ONLY: the way out is a ServiceEntry',
  async run(mesh, report) {
    const call = { host: 'outside.example', path: '/' }
    const closed = await mesh.call('apps-client', call)
    report.check(closed.last.status === 502, `outside.example, which no registry knows: ${closed.last.status}`)
    const { ms, acks } = await mesh.apply('service-entry.yaml', 'service-entry.yaml')
    const open = await mesh.call('apps-client', call)
    report.check(
      open.last.status === 200 && open.last.body === 'outside',
      `with a ServiceEntry (${ms.toFixed(0)} ms, ${acks} ACKs): ${open.last.status} from ${open.last.body}`,
    )
    await mesh.remove('service-entry.yaml')
    const again = await mesh.call('apps-client', call)
    report.check(again.last.status === 502, `without it again: ${again.last.status}`)
  },
}
