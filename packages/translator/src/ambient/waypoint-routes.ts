import { MESH_GATEWAY, type MeshService, type ServicePort } from '@heddle/config-model'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { NO_TIMEOUT } from '../message.js'
import { outboundCluster, vipCluster } from '../names.js'
import { isHttpOrSniffed } from '../protocol.js'
import { httpRoutes } from '../routes/http-route.js'
import { EVERY_PATH } from '../routes/match.js'
import { retryPolicy } from '../routes/retry.js'
import { routesOf, waypointServices } from './waypoint-services.js'

const MAX_DIRECT_RESPONSE = 1024 * 1024

/** The routes of a port of a service behind a waypoint. The address has already told the host, so there is one virtual host for all. */
export function waypointRoutes(build: Build, service: MeshService, port: ServicePort, cluster: string): RouteConfiguration {
  const virtualService = routesOf(build, service)
  const behind = new Set(waypointServices(build).map(({ hostname }) => hostname))
  const routes =
    virtualService === undefined
      ? []
      : httpRoutes({
          build,
          virtualService,
          port: port.number,
          gateway: MESH_GATEWAY,
          tls: false,
          serviceOf: (hostname) => build.view.serviceOf(hostname),
          clusterFor({ host, subset = '' }, number, destination) {
            if (destination !== undefined && !behind.has(destination.hostname)) return outboundCluster(number, subset, host)
            const found = destination?.ports.find((one) => one.number === number)
            return vipCluster(number, found === undefined || isHttpOrSniffed(found.protocol) ? 'http' : 'tcp', subset, host)
          },
        })
  if (routes.length === 0) return plainRoutes(build, cluster, `${service.hostname}:${port.number}`, port.number)
  return configuration(cluster, port.number, routes)
}

/** Everything to the cluster. */
export function plainRoutes(build: Build, cluster: string, operation: string, port: number): RouteConfiguration {
  const route = {
    name: 'default',
    match: EVERY_PATH,
    decorator: { operation: `${operation}/*` },
    route: {
      cluster,
      timeout: NO_TIMEOUT,
      max_grpc_timeout: NO_TIMEOUT,
      retry_policy: retryPolicy(build.mesh.defaultHttpRetryPolicy, false),
    },
  }
  return { ...configuration(cluster, port, [route]), max_direct_response_body_size_bytes: MAX_DIRECT_RESPONSE }
}

type Routes = NonNullable<NonNullable<RouteConfiguration['virtual_hosts']>[number]['routes']>

function configuration(name: string, port: number, routes: Routes): RouteConfiguration {
  return { name, validate_clusters: false, virtual_hosts: [{ name: `inbound|http|${port}`, domains: ['*'], routes }] }
}
