import type { ConsistentHash } from '@heddle/config-model'
import type { RouteAction_HashPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import { defined, duration } from '../message.js'

/** What a request is hashed by. It stands on the route, though the DestinationRule asks for it. */
export function hashPolicy(hash: ConsistentHash | undefined): RouteAction_HashPolicy | undefined {
  if (hash === undefined) return undefined
  if (hash.httpHeaderName !== undefined) return { header: { header_name: hash.httpHeaderName } }
  if (hash.httpCookie !== undefined) {
    const { name, path, ttl, attributes } = hash.httpCookie
    return {
      cookie: defined({
        name,
        path: path || undefined,
        ttl: ttl === undefined ? undefined : duration(ttl),
        attributes: attributes?.map((a) => ({ name: a.name, ...(a.value ? { value: a.value } : {}) })),
      }),
    }
  }
  if (hash.useSourceIp === true) return { connection_properties: { source_ip: true } }
  return hash.httpQueryParameterName === undefined ? undefined : { query_parameter: { name: hash.httpQueryParameterName } }
}
