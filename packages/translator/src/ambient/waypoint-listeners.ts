import { isHttp, type MeshService, type ServicePort } from '@heddle/config-model'
import type { Filter, FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { type Build, portSource } from '../build.js'
import { httpManager } from '../listeners/http-manager.js'
import { HTTP_INSPECTOR, ORIGINAL_DST, withoutPorts } from '../listeners/listener-filters.js'
import { tcpProxy } from '../listeners/tcp-proxy.js'
import { defined, typed } from '../message.js'
import { statName, vipCluster } from '../names.js'
import { exchangeFilters } from '../peer-exchange.js'
import { isHttp2 } from '../protocol.js'
import { tcpAuthorizationFilters } from '../security/tcp-authorization.js'
import { listenerAccessLogs } from '../telemetry/access-log.js'
import { statsFilters } from '../telemetry/stats.js'
import { doubleTunnelListeners } from './double-hbone.js'
import { ENCAP, MAIN_INTERNAL, STATE } from './hbone.js'
import { connectOriginateListener, connectTerminateListener, state } from './hbone-listeners.js'
import { type ChainChoice, chainMatcher } from './waypoint-matcher.js'
import { plainRoutes, waypointRoutes } from './waypoint-routes.js'
import { waypointServices, waypointWorkloads } from './waypoint-services.js'

const DIRECT_TCP = 'direct-tcp'
const DIRECT_HTTP = 'direct-http'

/** A waypoint takes tunnels, looks at what is in them by the service that it is for, and puts it into tunnels to the workloads. */
export function waypointListeners(build: Build): readonly Listener[] {
  return [
    connectTerminateListener(build),
    mainInternal(build),
    connectOriginateListener(build),
    ...(build.features.ambientMultiNetwork ? doubleTunnelListeners(build) : []),
  ]
}

function mainInternal(build: Build): Listener {
  const services = waypointServices(build)
  const workloads = waypointWorkloads(build)
  const ports = services.flatMap((service) =>
    service.ports.filter(({ protocol }) => protocol !== 'UDP').map((port) => ({ service, port })),
  )
  const choices = new Map(ports.map(({ service, port }) => [port, choiceOf(service, port)]))
  return defined({
    name: MAIN_INTERNAL,
    internal_listener: {},
    traffic_direction: 'INBOUND' as const,
    filter_chain_matcher: chainMatcher(build, services, choices, workloads, { tcp: DIRECT_TCP, http: DIRECT_HTTP }),
    filter_chains: [...ports.flatMap(({ service, port }) => portChains(build, service, port)), ...directChains(build)],
    listener_filters: [
      ORIGINAL_DST,
      workloads.length > 0 ? HTTP_INSPECTOR : withoutPorts(HTTP_INSPECTOR, plainPorts(ports.map(({ port }) => port))),
    ],
    access_log: listenerAccessLogs(build, 'inbound'),
  })
}

/** The chains that a port may take. */
function choiceOf(service: MeshService, { number, protocol }: ServicePort): ChainChoice {
  const named = (layer: 'http' | 'tcp'): string => vipCluster(number, layer, '', service.hostname)
  if (protocol === 'Unsupported') return { tcp: named('tcp'), http: named('http') }
  return isHttp(protocol) ? { http: named('http') } : { tcp: named('tcp') }
}

function portChains(build: Build, service: MeshService, port: ServicePort): FilterChain[] {
  const { tcp, http } = choiceOf(service, port)
  const chains = [
    ...(tcp === undefined ? [] : [{ name: tcp, filters: tcpFilters(build, tcp, port.number, service) }]),
    ...(http === undefined
      ? []
      : [{ name: http, filters: [manager(build, port, waypointRoutes(build, service, port, http), service)] }]),
  ]
  for (const chain of chains) build.origins.mark(chain, portSource(build, service, port))
  return chains
}

const UNKNOWN: ServicePort = { name: 'unknown', number: 0, protocol: 'TCP', targetPort: 0 }

/** To a workload that was called by its own address: back into a tunnel to it. */
function directChains(build: Build): FilterChain[] {
  return [
    { name: DIRECT_TCP, filters: [AUTHORITY, ...tcpFilters(build, ENCAP, 0, undefined)] },
    { name: DIRECT_HTTP, filters: [AUTHORITY, manager(build, UNKNOWN, plainRoutes(build, ENCAP, ':0', 0), undefined)] },
  ]
}

const AUTHORITY: Filter = {
  name: 'connect_authority',
  typed_config: typed('envoy.extensions.filters.network.set_filter_state.v3.Config', {
    on_new_connection: [state(STATE.destination, `%FILTER_STATE(${STATE.destination}:PLAIN)%`)],
  }),
}

function tcpFilters(build: Build, cluster: string, port: number, service: MeshService | undefined): Filter[] {
  return [
    ...exchangeFilters(build),
    ...tcpAuthorizationFilters(build, 'inbound', port, true, service),
    ...statsFilters(build, 'inbound'),
    tcpProxy(build, 'inbound', cluster),
  ]
}

function manager(build: Build, port: ServicePort, routes: RouteConfiguration, service: MeshService | undefined): Filter {
  return httpManager(build, {
    listener: 'inbound',
    statPrefix: statName(`inbound_0.0.0.0_${port.number}`),
    routes,
    port: port.number,
    protocol: port.protocol,
    tunnelled: true,
    knownPeer: true,
    ...(service === undefined ? {} : { service }),
    ...(isHttp2(port.protocol) ? { extra: { http2_protocol_options: {} } } : {}),
  })
}

/** Ports on which no service has to be looked at: all of one kind. */
function plainPorts(ports: readonly ServicePort[]): readonly number[] {
  const kinds = new Map<number, Set<string>>()
  for (const { number, protocol } of ports) {
    const kind = protocol === 'Unsupported' ? 'sniffed' : isHttp(protocol) ? 'http' : 'tcp'
    kinds.set(number, (kinds.get(number) ?? new Set()).add(kind))
  }
  return [...kinds].filter(([, of]) => of.size === 1 && !of.has('sniffed')).map(([number]) => number)
}
