import type { ReferenceMesh } from './mesh.js'
import { table } from './report.js'

/** What `--keep` prints: how to play with the mesh. */
export function keepText(mesh: ReferenceMesh, graph: string): string {
  const gateway = mesh.addresses['gateway'] ?? ''
  const client = mesh.httpProxies['apps-client'] ?? ''
  return [
    '\nThe mesh is running, with a trickle of requests. Ctrl-C stops every process.',
    `Watch it: ${graph}`,
    '',
    table([['what', 'address'], ...Object.entries(mesh.addresses)]),
    '',
    'As the client, through its sidecar:',
    `  curl -x ${client} http://apps-svc-all/`,
    `  curl -x ${client} -H 'username: nolen' http://apps-svc-all/`,
    'From outside, through the gateway:',
    `  curl -H 'Host: apps.example' ${gateway}/`,
    `  curl -k --connect-to apps.example:443:${mesh.addresses['gateway TLS']} https://apps.example/`,
    'Edit the configuration and watch it take effect:',
    `  ${mesh.folder}`,
    'Ask why:',
    `  node packages/cli/dist/heddle.js explain --config ${mesh.folder} --from apps-client GET http://apps-svc-all/ -H 'username: nolen'`,
    `  node packages/cli/dist/heddle.js validate -f ${mesh.folder}/*.yaml`,
  ].join('\n')
}

const PAUSE_MS = 100

/** A few requests a second from inside and outside, so that there is something to see. They stop with the mesh. */
export function trickle(mesh: ReferenceMesh): void {
  const again = async (): Promise<void> => {
    try {
      await Promise.all([mesh.call('apps-client', { host: 'apps-svc-all' }), mesh.outside('apps.example', '/')])
    } catch {
      // A control plane or a proxy that a visitor has stopped is no trouble of ours.
    }
    await mesh.sleep(PAUSE_MS)
    void again()
  }
  void again()
}
