import type { MetadataExchange } from '@heddle/xds-types/envoy/tcp/metadataexchange/config'
import { PEER_EXCHANGE } from '../observe/peer/greeting.js'
import type { Fields } from './fields.js'

/** Type of Istio's network filter for it, of listeners and of clusters. */
export const METADATA_EXCHANGE = 'envoy.tcp.metadataexchange.config.MetadataExchange'

/** Peers of TCP connections say who they are, where both have agreed on it by ALPN. */
export interface PeerExchange {
  /** Labels that are told besides those of metrics. */
  readonly additionalLabels: readonly string[]
}

export function compileMetadataExchange(fields: Fields<MetadataExchange>): PeerExchange {
  const protocol = fields.string('protocol')
  if (protocol !== PEER_EXCHANGE) fields.problem(`must be ${PEER_EXCHANGE}.`, 'protocol')
  const additionalLabels = fields.strings('additional_labels')
  fields.done({ enable_discovery: 'workloads are not discovered: certificates and endpoints tell what can be known' })
  return { additionalLabels }
}
