import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { alpn } from './alpn.js'
import { authorization } from './authorization.js'
import { dynamicForwardProxy } from './dynamic-forward-proxy.js'
import { extAuthz } from './ext-authz.js'
import { authnExtensions, authzExtensions, otherExtensions, statsExtensions, waypointExtensions } from './extensions.js'
import type { HttpFeature, HttpScope } from './feature.js'
import { grpcStats, grpcWeb } from './grpc.js'
import { jwt } from './jwt.js'
import { localRateLimit } from './local-rate-limit.js'
import { metadataExchange, waypointPeer } from './metadata-exchange.js'
import { persistentSession } from './persistent-session.js'
import { cors, fault, router } from './standard.js'
import { stats } from './stats.js'

/** THE order of HTTP filters, Istio's. */
export const HTTP_FEATURES: readonly HttpFeature[] = [
  metadataExchange, // first: what is denied below must still be counted with its peer
  extAuthz, // before the other checks: who asks somebody else wants it to see every request
  authnExtensions, // code that finds out who calls, before what is checked
  jwt, // policies below read its claims
  authzExtensions, // code that decides sees the claims, as policies do
  authorization, // before anything that spends work on a request
  statsExtensions, // code that counts sees what was let in
  otherExtensions, // code without a phase: as late as Istio has it
  grpcWeb, // before what reads gRPC
  grpcStats, // sees gRPC as the application does
  alpn, // outbound only: chooses the upstream's ALPN before a connection is picked
  fault, // after authorization: who may not call learns nothing
  cors, // answers preflights, so after what may refuse
  waypointExtensions, // a waypoint's code that counts, behind all that Istio has in its chain
  waypointPeer, // before stats, which names the peer
  localRateLimit, // after preflights, which cost nothing; before stats, which counts what is refused here
  stats, // as late as possible: counts what the filters above let through, and their replies on the way back
  persistentSession, // chooses the endpoint, so as late as can be
  dynamicForwardProxy, // resolves what the router is about to call
  router, // terminal
]

export function httpFilters(scope: HttpScope): HttpFilter[] {
  const filters: HttpFilter[] = []
  for (const feature of HTTP_FEATURES) for (const filter of feature.filters(scope)) filters.push(filter)
  return filters
}

export type { HttpFeature, HttpScope } from './feature.js'
