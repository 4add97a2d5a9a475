import type { AttributeContext, AttributeContext_Peer, CheckRequest } from '@heddle/xds-types/envoy/service/auth/v3'
import type { FilterDeps, HttpStream } from '../../http/filter.js'
import type { HttpRequest } from '../../http/message.js'
import type { DynamicMetadata } from '../../matcher/value.js'
import type { Connection, SocketAddress, TlsInfo } from '../../net/connection.js'
import type { ExtAuthzConfig } from './ext-authz-config.js'
import type { SentBody } from './ext-authz-http.js'

/** What of a connection a filter is configured to tell. */
export type ConnectionTold = Pick<ExtAuthzConfig, 'includePeerCertificate' | 'includeTlsSession' | 'labelsKey'>

/** What the service is told of a connection. */
export function connectionAttributes(
  told: ConnectionTold,
  { remote, local, tls }: Pick<Connection, 'remote' | 'local' | 'tls'>,
  node: FilterDeps['node'],
): Pick<AttributeContext, 'source' | 'destination' | 'tls_session'> {
  const peer = tls?.peerVerified === true ? tls.peer : undefined
  const principal = tls?.localUris[0]
  return {
    source: {
      address: addressOf(remote),
      ...(tls?.peerVerified === true && { principal: principalOf(tls) }),
      ...(told.includePeerCertificate && peer !== undefined && { certificate: encodeURIComponent(peer.pem()) }),
    },
    destination: {
      address: addressOf(local),
      ...(principal !== undefined && { principal }),
      ...labelsOf(told, node),
    },
    ...(told.includeTlsSession && tls !== undefined && { tls_session: { sni: tls.sni ?? '' } }),
  }
}

/** What the service is told of a request and of the connection that it came over. */
export function checkRequestOf(
  config: ExtAuthzConfig,
  stream: HttpStream,
  body: SentBody | undefined,
  contextExtensions: Readonly<Record<string, string>>,
  asBytes: boolean,
  deps: FilterDeps,
): CheckRequest {
  const { request, connection, info } = stream
  const filters = pickMetadata(info.metadata, config.metadataNamespaces)
  const routes = pickMetadata(new Map(Object.entries(info.routeMetadata ?? {})), config.routeMetadataNamespaces)
  const { source, ...rest } = connectionAttributes(config, connection, deps.node)
  return {
    attributes: {
      ...rest,
      source: { ...source, ...service(request) },
      request: {
        time: new Date(info.startTime).toISOString(),
        http: {
          id: info.requestId ?? '',
          method: request.method,
          headers: headersOf(config, request, body),
          path: utf8(request.path),
          host: utf8(request.authority),
          scheme: request.scheme,
          protocol: request.protocol,
          size: String(body?.bytes.length ?? request.body.length ?? 0),
          ...bodyOf(body, asBytes),
        },
      },
      context_extensions: contextExtensions,
      ...(filters && { metadata_context: { filter_metadata: filters } }),
      ...(routes && { route_metadata_context: { filter_metadata: routes } }),
    },
  }
}

function addressOf({ address, port }: SocketAddress): NonNullable<AttributeContext_Peer['address']> {
  return { socket_address: { address, port_value: port } }
}

/** URI SAN before DNS SAN before the subject, as Envoy takes them. */
function principalOf({ peerUris, peer }: TlsInfo): string {
  return peerUris[0] ?? peer?.dns[0] ?? peer?.subject ?? ''
}

function service(request: HttpRequest): { service?: string } {
  const name = request.headers.get('x-envoy-downstream-service-cluster')
  return name === undefined ? {} : { service: utf8(name) }
}

function labelsOf({ labelsKey }: ConnectionTold, { metadata }: FilterDeps['node']): { labels?: Record<string, string> } {
  const labels = labelsKey === '' ? undefined : metadata[labelsKey]
  if (typeof labels !== 'object' || labels === null) return {}
  return { labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])) }
}

/** Lines of one name are one value here, so that the service sees all of them (CVE-2021-32777). */
function headersOf(
  { allowedHeaders, disallowedHeaders }: ExtAuthzConfig,
  request: HttpRequest,
  body: SentBody | undefined,
): Record<string, string> {
  const { method, path, authority, scheme, headers } = request
  const all = new Map<string, string>()
  const pseudo: [string, string][] = [
    [':method', method],
    [':path', path],
    [':authority', authority],
    [':scheme', scheme],
  ]
  for (const [name, value] of [...pseudo, ...headers]) {
    if (name === 'x-envoy-auth-partial-body') continue
    if (allowedHeaders !== undefined && !allowedHeaders.some(({ matches }) => matches(name))) continue
    if (disallowedHeaders?.some(({ matches }) => matches(name)) === true) continue
    const known = all.get(name)
    all.set(name, known === undefined ? utf8(value) : `${known},${utf8(value)}`)
  }
  if (body !== undefined) all.set('x-envoy-auth-partial-body', String(body.partial))
  return Object.fromEntries(all)
}

function bodyOf(body: SentBody | undefined, asBytes: boolean): { body?: string; raw_body?: Uint8Array } {
  if (body === undefined) return {}
  return asBytes ? { raw_body: body.bytes } : { body: Buffer.from(body.bytes).toString('utf8') }
}

/** Undefined: none of them is there. */
export function pickMetadata(
  metadata: DynamicMetadata,
  namespaces: readonly string[],
): Record<string, Record<string, unknown>> | undefined {
  const found = namespaces.flatMap((name) => {
    const value = metadata.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return found.length === 0 ? undefined : (Object.fromEntries(found) as Record<string, Record<string, unknown>>)
}

/** A protobuf string holds only UTF-8: other bytes become U+FFFD (CVE-2023-27488). */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
