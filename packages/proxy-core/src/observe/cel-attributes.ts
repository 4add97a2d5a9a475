import type { FilterMetadata } from '../config/metadata.js'
import type { HeaderMap } from '../http/header-map.js'
import type { CelAttributes } from '../matcher/cel.js'
import type { RequestHead } from '../route/table.js'
import type { AccessLogEntry } from './access-log.js'

/**
 * Envoy's attributes (docs: intro/arch_overview/advanced/attributes) of a request that is over. What is not known is not there.
 * `head`: the request's line as it is now, for one that is still on its way.
 */
export function celAttributes(
  { info, requestHeaders, responseHeaders, responseTrailers }: AccessLogEntry,
  { method, path, authority }: Pick<RequestHead, 'method' | 'path' | 'authority'> = info,
): CelAttributes {
  const { endpoint, downstreamTls: tls } = info
  const query = path.indexOf('?')
  const headers = requestHeaders && {
    ...headersOf(requestHeaders),
    ':method': method,
    ':path': path,
    ':authority': authority,
  }
  return {
    request: present({
      path,
      url_path: query < 0 ? path : path.slice(0, query),
      query: query < 0 ? '' : path.slice(query + 1),
      host: authority,
      method,
      scheme: requestHeaders?.get('x-forwarded-proto'),
      protocol: info.protocol,
      headers,
      id: info.requestId,
      useragent: info.userAgent,
      referer: requestHeaders?.get('referer'),
      time: new Date(info.startTime),
      size: BigInt(info.bytesReceived),
    }),
    response: present({
      code: BigInt(info.status),
      code_details: info.details,
      grpc_status: info.grpcStatus !== undefined && /^\d{1,9}$/.test(info.grpcStatus) ? BigInt(info.grpcStatus) : undefined,
      headers: responseHeaders && headersOf(responseHeaders),
      trailers: responseTrailers && headersOf(responseTrailers),
      size: BigInt(info.bytesSent),
    }),
    source: addressOf(info.downstreamRemote),
    destination: addressOf(info.downstreamLocal),
    connection: present({
      mtls: tls?.peerVerified === true,
      requested_server_name: info.sni,
      tls_version: tls?.version,
      subject_peer_certificate: tls?.peer?.subject,
      uri_san_peer_certificate: info.peerPrincipal,
      uri_san_local_certificate: info.localPrincipal,
      dns_san_peer_certificate: tls?.peer?.dns[0],
      sha256_peer_certificate_digest: tls?.peer?.hash,
    }),
    upstream: present({
      ...(endpoint && { address: `${endpoint.address.address}:${endpoint.address.port}`, port: BigInt(endpoint.address.port) }),
      local_address: info.upstreamLocal,
      transport_failure_reason: info.upstreamTransportFailureReason,
      request_attempt_count: BigInt(info.attempts),
    }),
    xds: present({
      cluster_name: info.cluster,
      route_name: info.routeName,
      virtual_host_name: info.virtualHost,
      filter_chain_name: info.servedAt?.filterChainName || undefined,
      cluster_metadata: withFilters(info.clusterMetadata),
      route_metadata: withFilters(info.routeMetadata),
      virtual_host_metadata: withFilters(info.virtualHostMetadata),
      listener_metadata: withFilters(info.servedAt?.listenerMetadata),
    }),
    metadata: { filter_metadata: Object.fromEntries(info.metadata) },
    filter_state: Object.fromEntries(info.filterState),
  }
}

const withFilters = (metadata: FilterMetadata | undefined): object | undefined => metadata && { filter_metadata: metadata }

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function headersOf(headers: HeaderMap): Record<string, string> {
  const out: Record<string, string> = {}
  for (let i = 0; i < headers.size; i++) {
    const name = headers.nameAt(i)
    out[name] = Object.hasOwn(out, name) ? `${out[name]},${headers.valueAt(i)}` : headers.valueAt(i)
  }
  return out
}

function addressOf(address: string): Record<string, unknown> {
  const port = /:(\d+)$/.exec(address)?.[1]
  return { address, ...(port !== undefined && { port: BigInt(port) }) }
}
