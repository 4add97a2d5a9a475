import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { socketAddress } from '../listeners/binding.js'
import { typed } from '../message.js'
import { sourceOfKey } from '../provenance.js'
import type { EffectiveMode } from '../security/mtls-mode.js'
import { tlsSocket } from '../security/tls-context.js'
import type { ServiceTarget } from '../service-targets.js'
import { parseTarget, SERVER_LISTENER_PREFIX } from './listener-names.js'
import { grpcRbacFilters } from './rbac.js'
import { providerContext } from './tls-context.js'

/** Where a server listens that says no address: IPv4 and IPv6. */
const ANY = ['0.0.0.0', '::']

/** Listeners of a gRPC server (`xds.NewGRPCServer` and its kin): those that it asked for by name, else one for each port that a service leads to. */
export function grpcInbound(build: Build, targets: readonly ServiceTarget[]): Listener[] {
  const ports = new Map(targets.map((target) => [target.targetPort, target]))
  const asked = build.proxy.resources?.filter((name) => name.startsWith(SERVER_LISTENER_PREFIX))
  const names = asked ?? [...ports.keys()].flatMap((port) => ANY.map((host) => serverListener(host, port)))
  return names.flatMap((name) => {
    const { host, port } = parseTarget(name.slice(SERVER_LISTENER_PREFIX.length))
    const target = port === undefined ? undefined : ports.get(port)
    if (target === undefined || port === undefined) return []
    const listener: Listener = {
      name,
      address: socketAddress(host, port),
      filter_chains: [filterChain(build, serverMode(build, port))],
    }
    return [build.origins.mark(listener, sourceOfKey(target.service.source))]
  })
}

function serverListener(host: string, port: number): string {
  return `${SERVER_LISTENER_PREFIX}${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** gRPC cannot look at the first bytes, so PERMISSIVE is mTLS where clients were told that the workload takes it, and plaintext elsewhere. */
function serverMode(build: Build, port: number): EffectiveMode {
  const { namespace, labels } = build.proxy
  const { mode } = build.peers.ofWorkload(namespace, labels).forPort(port)
  if (mode !== 'PERMISSIVE') return mode
  return labels['security.istio.io/tlsMode'] === 'istio' ? 'STRICT' : 'DISABLE'
}

function filterChain(build: Build, mode: EffectiveMode): FilterChain {
  const kind = mode === 'STRICT' ? 'mtls' : 'plaintext'
  const manager = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    route_config: {
      name: 'inbound',
      virtual_hosts: [{ domains: ['*'], routes: [{ match: { prefix: '/' }, non_forwarding_action: {} }] }],
    },
    http_filters: [
      ...grpcRbacFilters(build),
      { name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router') },
    ],
  })
  return {
    name: `inbound-${kind}`,
    filters: [{ name: `inbound-hcm${kind}`, typed_config: manager }],
    ...(mode === 'STRICT'
      ? {
          transport_socket: tlsSocket('DownstreamTlsContext', {
            common_tls_context: providerContext([]),
            require_client_certificate: true,
          }),
        }
      : {}),
  }
}
