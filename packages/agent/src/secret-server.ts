import type { Server } from '@grpc/grpc-js'
import type { Identity } from '@heddle/ca'
import { createWatch, type Watch } from '@heddle/runtime'
import { createXdsServer } from '@heddle/xds-server'
import { addXdsService } from '@heddle/xds-server/grpc'

const SECRET = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret'

/** SDS for the proxy: `default`, the workload's certificate and key, and `ROOTCA`, its trust anchors. Each renewal is pushed. */
export function addSecretService(server: Server, identity: Watch<Identity | undefined>): void {
  const set = createWatch(resourceSet(identity.current))
  identity.subscribe((current) => set.set(resourceSet(current)))
  addXdsService(server, createXdsServer({ resources: () => set }))
}

function resourceSet(identity: Identity | undefined) {
  const secrets: readonly object[] = identity === undefined ? [] : secretsOf(identity)
  return { groups: [{ id: 'secrets', resources: new Map([[SECRET, secrets]]) }] }
}

function secretsOf({ certificateChain, privateKey, trustBundle }: Identity): object[] {
  return [
    {
      name: 'default',
      tls_certificate: { certificate_chain: { inline_string: certificateChain }, private_key: { inline_string: privateKey } },
    },
    { name: 'ROOTCA', validation_context: { trusted_ca: { inline_string: trustBundle } } },
  ]
}
