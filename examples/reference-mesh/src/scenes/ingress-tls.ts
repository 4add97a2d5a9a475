import type { Scene } from '../scene.js'

/** S-PX-06: TLS ends at the gateway, with a certificate from a Secret that may change while it serves. */
export const ingressTls: Scene = {
  title: 'Ingress over TLS, with the certificate of a Secret',
  async run(mesh, report) {
    const first = await mesh.outsideTls('apps.example', '/')
    report.check(first.status === 200 && first.body === 'c1', `https://apps.example: ${first.status} from ${first.body}`)
    const stranger = await mesh.outsideTls('nobody.example', '/').catch((error: Error) => error.message)
    report.check(
      typeof stranger === 'string',
      `https://nobody.example: ${typeof stranger === 'string' ? stranger : stranger.status}`,
    )
    const { ms, acks } = await mesh.renewSiteCertificate()
    const second = await mesh.outsideTls('apps.example', '/')
    report.check(
      second.status === 200 && second.serial !== first.serial,
      `a new certificate in the Secret (${ms.toFixed(0)} ms, ${acks} ACKs): the next handshake shows serial …${second.serial.slice(-8)} after …${first.serial.slice(-8)}`,
    )
  },
}
