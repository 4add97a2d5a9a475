import type { MeshService, ServicePort } from '@heddle/config-model'
import type { Route, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import { type Build, portSource } from '../build.js'
import { policyForPort } from '../destination-rules.js'
import { allowsDynamicDns, dynamicDnsHost } from '../egress-dns.js'
import { rateLimitConfig } from '../extensions/rate-limit.js'
import { defined, duration, NO_TIMEOUT } from '../message.js'
import { BLACK_HOLE_CLUSTER, outboundCluster, PASSTHROUGH_CLUSTER } from '../names.js'
import { NO_ORIGINS } from '../provenance.js'
import { proxyHeaders } from '../proxy-headers.js'
import { hashPolicy } from './hash-policy.js'
import { EVERY_PATH } from './match.js'
import { sessionConfig } from './persistent-session.js'
import { retryPolicy } from './retry.js'

/** The route of a service that no VirtualService speaks of. */
export function serviceRoute(build: Build, service: MeshService, port: ServicePort): Route {
  const hash = hashPolicy(policyForPort(build.rules.of(service)?.trafficPolicy, port)?.loadBalancer?.consistentHash)
  const filters = { ...rateLimitConfig(build.rules.of(service)), ...sessionConfig(build, service) }
  const route: Route = {
    name: 'default',
    match: EVERY_PATH,
    decorator: { operation: `${service.hostname}:${port.number}/*` },
    route: defined({
      cluster: outboundCluster(port.number, '', service.hostname),
      timeout: duration(build.features.requestTimeout),
      max_grpc_timeout: duration(build.features.requestTimeout),
      retry_policy: retryPolicy(build.mesh.defaultHttpRetryPolicy, false),
      hash_policy: hash === undefined ? undefined : [hash],
    }),
    ...(Object.keys(filters).length === 0 ? {} : { typed_per_filter_config: filters }),
  }
  return build.origins === NO_ORIGINS ? route : build.origins.mark(route, portSource(build, service, port))
}

/** For hosts that nobody knows: on to where they are, or 502 where only known services may be called. */
export function catchAllHost(build: Build, attemptCount: boolean): VirtualHost {
  const include = attemptCount ? { include_request_attempt_count: true } : {}
  if (!build.view.allowAny) {
    return {
      name: 'block_all',
      domains: ['*'],
      routes: [{ name: 'block_all', match: EVERY_PATH, direct_response: { status: 502 } }],
      ...include,
    }
  }
  if (allowsDynamicDns(build)) return dynamicDnsHost(include)
  const cluster = egressCluster(build)
  return {
    name: 'allow_any',
    domains: ['*'],
    routes: [
      {
        name: 'allow_any',
        match: EVERY_PATH,
        route: { cluster, timeout: NO_TIMEOUT, max_grpc_timeout: NO_TIMEOUT, ...forwardedHost(build) },
      },
    ],
    ...include,
  }
}

/** x-forwarded-host, where ProxyConfig asks for it and the host of a request may be another one upstream. */
export function forwardedHost({ proxyConfig }: Build): { append_x_forwarded_host?: true } {
  return proxyHeaders(proxyConfig, 'outbound').forwardedHost ? { append_x_forwarded_host: true } : {}
}

/** Where connections to unknown destinations go. */
export function egressCluster(build: Build): string {
  if (!build.view.allowAny) return BLACK_HOLE_CLUSTER
  const proxy = build.view.egressProxy
  return proxy === undefined ? PASSTHROUGH_CLUSTER : outboundCluster(proxy.port?.number ?? 0, proxy.subset ?? '', proxy.host)
}
