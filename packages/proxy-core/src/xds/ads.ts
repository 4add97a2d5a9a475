import { fail, problem } from '@heddle/runtime'
import { decodeDeltaResponse, decodeSotwResponse } from '@heddle/xds-types/discovery'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { DeltaDiscoveryRequest, DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { resourceTypeOf } from '@heddle/xds-types/known'
import { createXdsClient, type XdsClient, type XdsClientOptions } from './client.js'
import { createDeltaClient } from './delta-client.js'
import type { DecodeResource } from './messages.js'
import { createSotwClient } from './sotw-client.js'

export interface AdsClientOptions extends Omit<XdsClientOptions<never, never>, 'protocol' | 'codec' | 'probe'> {
  variant: 'delta' | 'sotw'
  /** Travels with the first request of each stream. */
  node: Node
}

/** All clusters: short of that nothing is asked for, and whoever serves a proxy has an answer. */
const probe = { type_url: Cluster.typeUrl }

const decode: DecodeResource = (typeUrl, value) =>
  resourceTypeOf(typeUrl)?.decode(value) ?? fail(problem('xds.unknown_type', '', `${typeUrl} is no resource type.`))

/** An aggregated stream in either variant, with the messages of Envoy's API. */
export function createAdsClient({ variant, node, ...options }: AdsClientOptions): XdsClient {
  if (variant === 'delta') {
    return createXdsClient({
      ...options,
      probe,
      protocol: createDeltaClient(decode),
      codec: {
        encode: (request, first) => DeltaDiscoveryRequest.encode(first ? { ...request, node } : request),
        decode: decodeDeltaResponse,
      },
    })
  }
  const types = {
    decode,
    nameOf: (typeUrl: string, message: object): string => resourceTypeOf(typeUrl)?.nameOf(message) ?? '',
    isFullState: (typeUrl: string): boolean => resourceTypeOf(typeUrl)?.fullStateInSotw ?? false,
  }
  return createXdsClient({
    ...options,
    probe,
    protocol: createSotwClient(types),
    codec: {
      encode: (request, first) => DiscoveryRequest.encode(first ? { ...request, node } : request),
      decode: decodeSotwResponse,
    },
  })
}
