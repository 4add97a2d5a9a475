import type { ServerTLSSettings } from '@heddle/config-model'
import type { Filter, FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { configMetadata, defined } from '../message.js'
import { listenerName, statName, VIRTUAL_INBOUND } from '../names.js'
import { exchangeFilters } from '../peer-exchange.js'
import { isHttp2 } from '../protocol.js'
import { proxyHeaders } from '../proxy-headers.js'
import { inboundRoutes } from '../routes/inbound.js'
import { meshServerSocket, userServerSocket } from '../security/server-tls.js'
import { tcpAuthorizationFilters } from '../security/tcp-authorization.js'
import { statsFilters } from '../telemetry/stats.js'
import { allNetworkExtensions } from '../traffic-extensions/filters.js'
import type { ChainMatch } from './filter-chain-match.js'
import { httpManager } from './http-manager.js'
import type { InboundPort } from './inbound-port.js'
import { protocolFilters, tcpProxy } from './tcp-proxy.js'

const CATCH_ALL_HTTP = 'virtualInbound-catchall-http'

/** One filter chain of an inbound port. `userTls` is the user's own certificate in place of mTLS. */
export function inboundChain(
  build: Build,
  port: InboundPort,
  match: ChainMatch,
  userTls: ServerTLSSettings | undefined,
): FilterChain {
  const sidecar = port.passthrough || port.sources[0]?.kind !== 'Sidecar' ? undefined : build.view.sidecar
  return defined({
    name: chainName(port, match.protocol),
    filter_chain_match: defined({
      application_protocols: match.alpn,
      transport_protocol: match.transport,
      destination_port: port.targetPort > 0 ? port.targetPort : undefined,
    }),
    transport_socket:
      match.mtls === undefined
        ? undefined
        : userTls === undefined
          ? meshServerSocket(build, match.protocol)
          : userServerSocket(build, userTls, match.protocol),
    filters: match.protocol === 'http' ? httpChain(build, port) : tcpChain(build, port),
    // That of the root namespace counts as the workload's own.
    metadata:
      sidecar === undefined
        ? undefined
        : configMetadata({ kind: sidecar.kind, metadata: { name: sidecar.metadata.name, namespace: build.proxy.namespace } }),
  })
}

function chainName(port: InboundPort, protocol: 'http' | 'tcp'): string {
  if (!port.passthrough) return listenerName(port.bind, port.targetPort)
  return protocol === 'http' ? CATCH_ALL_HTTP : VIRTUAL_INBOUND
}

function httpChain(build: Build, port: InboundPort): Filter[] {
  const headers = proxyHeaders(build.proxyConfig, 'inbound')
  const { subject, uri, dns, cert, chain } = headers.clientCertDetails
  const manager = httpManager(build, {
    listener: 'inbound',
    statPrefix: statName(port.passthrough ? port.cluster : `inbound_${chainName(port, 'http')}`),
    routes: inboundRoutes(build, port),
    port: port.targetPort,
    protocol: port.protocol,
    tunnelled: port.tunnelled === true,
    knownPeer: isKnownPeer(port),
    extra: {
      // SANITIZE is the enum's zero: proto JSON leaves it out.
      ...(headers.forwardClientCert === 'SANITIZE' ? {} : { forward_client_cert_details: headers.forwardClientCert }),
      set_current_client_cert_details: { subject, ...only({ uri, dns, cert, chain }) },
      ...(isHttp2(port.protocol) ? { http2_protocol_options: {} } : {}),
    },
  })
  const exchange = isKnownPeer(port) ? [] : exchangeFilters(build)
  return [...exchange, ...allNetworkExtensions(build, 'inbound', port.targetPort), manager]
}

/** The tunnel has told who is at its other end; what no service is for may have come any way. */
function isKnownPeer({ tunnelled, passthrough }: InboundPort): boolean {
  return tunnelled === true && !passthrough
}

function only(flags: Record<string, boolean>): Record<string, true> {
  const set: Record<string, true> = {}
  for (const flag in flags) if (flags[flag] === true) set[flag] = true
  return set
}

function tcpChain(build: Build, port: InboundPort): Filter[] {
  const stat_prefix = port.statName ?? port.cluster
  return [
    ...(isKnownPeer(port) ? [] : exchangeFilters(build)),
    ...tcpAuthorizationFilters(build, 'inbound', port.targetPort, port.tunnelled),
    ...statsFilters(build, 'inbound'),
    ...protocolFilters(build, port.protocol, stat_prefix, port.cluster, () =>
      tcpProxy(build, 'inbound', port.cluster, { stat_prefix }),
    ),
  ]
}
