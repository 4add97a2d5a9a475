import { WORKLOAD_SECRETS, type WorkloadIdentity } from '@heddle/proxy-core'
import { createWatch } from '@heddle/runtime'
import { createXdsServer } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'

export interface ServedSecrets {
  readonly address: string
  close(): Promise<void>
}

const SECRET = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'

/** SDS on a port of its own: `default` and `ROOTCA`, by the Secret Discovery Service. */
export async function serveSecrets({ certificateChain, privateKey, trustBundle }: WorkloadIdentity): Promise<ServedSecrets> {
  const secrets = [
    {
      name: WORKLOAD_SECRETS.certificate,
      tls_certificate: { certificate_chain: { inline_string: certificateChain }, private_key: { inline_string: privateKey } },
    },
    { name: WORKLOAD_SECRETS.trust, validation_context: { trusted_ca: { inline_string: trustBundle } } },
  ]
  const set = createWatch({ groups: [{ id: 'secrets', resources: new Map<string, readonly object[]>([[SECRET, secrets]]) }] })
  const server = createXdsServer({ resources: () => set })
  const listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 500 })
  return { address: `127.0.0.1:${listener.port}`, close: listener.close }
}
