import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSelfSignedAuthority, issueIdentity, workloadGrant } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'

/** P-256 workload certificates of one CA in a folder: server.crt, server.key, both as haproxy wants them, client.crt, client.key, root.crt. */
export async function writeCertificates(folder: string): Promise<void> {
  const authority = await createSelfSignedAuthority({ clock: systemClock })
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)
  for (const serviceAccount of ['server', 'client']) {
    const grant = workloadGrant({ trustDomain: 'cluster.local', namespace: 'bench', serviceAccount })
    const { certificateChain, privateKey } = await issueIdentity(authority, grant)
    await write(`${serviceAccount}.crt`, certificateChain)
    await write(`${serviceAccount}.key`, privateKey)
    await write(`${serviceAccount}.pem`, certificateChain + privateKey)
  }
  await write('root.crt', authority.trustBundle.current.join(''))
}
