import type { HttpFilterFactory } from '../http/filter.js'
import { bufferFilter } from './http/buffer.js'
import { compressorFilter } from './http/compressor.js'
import { corsFilter } from './http/cors.js'
import { csrfFilter } from './http/csrf.js'
import { decompressorFilter } from './http/decompressor.js'
import { dynamicForwardProxyFilter } from './http/dynamic-forward-proxy.js'
import { extAuthzFilter } from './http/ext-authz.js'
import { faultFilter } from './http/fault.js'
import { grpcHttp1BridgeFilter } from './http/grpc-http1-bridge.js'
import { grpcJsonTranscoderFilter } from './http/grpc-json-transcoder.js'
import { grpcStatsFilter } from './http/grpc-stats.js'
import { grpcWebFilter } from './http/grpc-web.js'
import { headerMutationFilter } from './http/header-mutation.js'
import { healthCheckFilter } from './http/health-check.js'
import { istioAlpnFilter } from './http/istio-alpn.js'
import { istioStatsFilter } from './http/istio-stats.js'
import { jwtAuthnFilter } from './http/jwt-authn.js'
import { localRateLimitFilter } from './http/local-ratelimit.js'
import { oauth2Filter } from './http/oauth2.js'
import { onDemandFilter } from './http/on-demand.js'
import { peerMetadataFilter } from './http/peer-metadata.js'
import { rateLimitFilter } from './http/ratelimit.js'
import { rbacFilter } from './http/rbac.js'
import { setMetadataFilter } from './http/set-metadata.js'
import { statefulSessionFilter } from './http/stateful-session.js'

/** The HTTP filters that a proxy knows by itself. The router is not among them: it ends every chain. A filter that is not here is refused by its type. */
export const defaultHttpFilters: readonly HttpFilterFactory<unknown>[] = [
  erased(oauth2Filter),
  erased(jwtAuthnFilter),
  erased(extAuthzFilter),
  erased(rbacFilter),
  erased(faultFilter),
  erased(onDemandFilter),
  erased(dynamicForwardProxyFilter),
  erased(statefulSessionFilter),
  erased(corsFilter),
  erased(csrfFilter),
  erased(healthCheckFilter),
  erased(bufferFilter),
  erased(compressorFilter),
  erased(decompressorFilter),
  erased(setMetadataFilter),
  erased(localRateLimitFilter),
  erased(rateLimitFilter),
  erased(headerMutationFilter),
  erased(istioAlpnFilter),
  erased(grpcStatsFilter),
  erased(grpcWebFilter),
  erased(grpcJsonTranscoderFilter),
  erased(grpcHttp1BridgeFilter),
  erased(peerMetadataFilter),
  erased(istioStatsFilter),
]

/** In a list the configs of filters have no common type; each filter is only ever given what its own `decode` made. */
function erased<C>(factory: HttpFilterFactory<C>): HttpFilterFactory<unknown> {
  return factory as HttpFilterFactory<unknown>
}
