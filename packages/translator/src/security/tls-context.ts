import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import { ADS_SECRET_SOURCE, AGENT_FILE_SOURCE, AGENT_SDS_SOURCE, defined, typed } from '../message.js'
import { WORKLOAD_CERTIFICATE, WORKLOAD_ROOT } from '../names.js'

/** StringMatcher of a subject alternative name. */
export type NameMatcher = { readonly exact: string } | { readonly prefix: string } | { readonly suffix: string }

export interface SdsSecret {
  readonly name: string
  readonly sds_config: object
}

/** A secret that the proxy's agent holds. */
export function agentSecret(name: string): SdsSecret {
  return { name, sds_config: AGENT_SDS_SOURCE }
}

/** A secret that the agent reads from files: `file-cert:CERT~KEY`, `file-root:CA`. */
export function fileSecret(name: string): SdsSecret {
  return { name, sds_config: AGENT_FILE_SOURCE }
}

/** A secret that comes over ADS, `kubernetes://name`. */
export function controlPlaneSecret(name: string): SdsSecret {
  return { name, sds_config: ADS_SECRET_SOURCE }
}

/** The workload's own certificate and the mesh's roots, as fields of a CommonTlsContext. */
export function mutualTlsCertificates(names: readonly NameMatcher[]): object {
  return {
    tls_certificate_sds_secret_configs: [agentSecret(WORKLOAD_CERTIFICATE)],
    combined_validation_context: {
      default_validation_context: defined({ match_subject_alt_names: names.length === 0 ? undefined : names }),
      validation_context_sds_secret_config: agentSecret(WORKLOAD_ROOT),
    },
  }
}

export function tlsSocket(type: 'UpstreamTlsContext' | 'DownstreamTlsContext', context: object): TransportSocket {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed(`envoy.extensions.transport_sockets.tls.v3.${type}`, context),
  }
}
