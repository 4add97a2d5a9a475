import type { HttpManager } from '../config/compiled.js'
import { isIpAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import { createUuid } from '../net/uuid.js'
import { applyForwardedClientCert, type DescribeClient } from './forwarded-client-cert.js'
import type { HeaderMap } from './header-map.js'
import { type Detected, readForwardedFor } from './ip-detection.js'
import type { HttpRequest } from './message.js'

/** What is the same for every request of a connection. */
export interface PeerFacts {
  readonly connection: Connection
  /** What x-forwarded-for says of the peer: the proxy's own address for a client on 127.0.0.1. */
  readonly forwardedFor: string
  readonly describeClient: DescribeClient
}

/** Of the bootstrap's node. */
export interface NodeName {
  readonly id: string
  readonly cluster: string
}

type Found = Extract<Detected, { kind: 'address' }>
type Rejected = Extract<Detected, { kind: 'reject' }>

export type Identified = RequestIdentity | Rejected

export interface RequestIdentity {
  readonly kind: 'request'
  /** The client as far as it is trusted: from x-forwarded-for or the connection. */
  readonly clientAddress: string
  readonly internal: boolean
  /** From outside, by use_remote_address. */
  readonly edge: boolean
  readonly requestId: string | undefined
}

// Only for the proxy to write: a client that is not internal must not steer retries and timeouts by them (CVE-2023-27487).
const INTERNAL_HEADERS: ReadonlySet<string> = new Set([
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
])
const EDGE_HEADERS: ReadonlySet<string> = new Set([
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
  'x-envoy-original-host',
])

/** Envoy's mutateRequestHeaders: who asks, over what, and under which id. The order of the steps is Envoy's. */
export function identifyRequest(request: HttpRequest, manager: HttpManager, peer: PeerFacts, node: NodeName): Identified {
  const { headers } = request
  const own = ownProto(peer.connection, manager)
  const remote = peer.connection.remote.address
  sanitizeTe(headers)
  headers.delete('x-envoy-internal')
  const list = readForwardedFor(headers)
  const detected = detect(headers, manager, peer)
  if (detected?.kind === 'reject') return detected
  const told = trustedClient(list, manager)
  const client = detected?.address ?? told ?? remote
  if (manager.useRemoteAddress) {
    if (!manager.skipXffAppend) setForwardedFor(headers, list, peer.forwardedFor)
    if (manager.xffNumTrustedHops === 0 || !headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', own)
    if (manager.appendXForwardedPort) headers.set('x-forwarded-port', String(peer.connection.local.port))
  } else {
    if (!headers.has('x-forwarded-proto')) headers.appendLower('x-forwarded-proto', own)
    if (manager.appendXForwardedPort && !headers.has('x-forwarded-port'))
      headers.appendLower('x-forwarded-port', String(peer.connection.local.port))
  }
  if (manager.schemeToOverwrite !== undefined) headers.set('x-forwarded-proto', manager.schemeToOverwrite)
  const proto = headers.get('x-forwarded-proto')?.toLowerCase()
  if (proto === 'http' || proto === 'https') request.scheme = proto
  // One address and no other has been in the list: what cannot be read vouches for nobody.
  const single = detected?.trusted ?? (manager.useRemoteAddress ? list.length === 0 : list.length === 1 && told !== undefined)
  const internal = single && manager.isInternalAddress(client)
  const edge = !internal && manager.useRemoteAddress
  if (internal) headers.set('x-envoy-internal', 'true')
  else if (sayEnvoy(headers)) headers.deleteWhere((name) => INTERNAL_HEADERS.has(name) || (edge && EDGE_HEADERS.has(name)))
  if (edge) headers.set('x-envoy-external-address', client)
  if (manager.addUserAgent) sayWho(headers, node)
  if (manager.via !== '') setJoined(headers, 'via', manager.via, ', ')
  applyForwardedClientCert(headers, manager, request, peer.connection.tls, peer.describeClient)
  return { kind: 'request', clientAddress: client, internal, edge, requestId: requestId(headers, manager, edge) }
}

/** What the connection says that it carries. */
function ownProto({ tls, originalDestination }: Connection, { protoByPort }: HttpManager): 'http' | 'https' {
  const byPort = originalDestination === undefined ? undefined : protoByPort?.get(originalDestination.port)
  return byPort ?? (tls === undefined ? 'http' : 'https')
}

/** Few requests bring any of the proxy's own headers. */
function sayEnvoy(headers: HeaderMap): boolean {
  for (let i = 0; i < headers.size; i++) if (headers.nameAt(i).startsWith('x-envoy-')) return true
  return false
}

/** By original_ip_detection_extensions; where none can tell it is the peer. */
function detect(
  headers: HeaderMap,
  { ipDetection }: HttpManager,
  { connection, forwardedFor }: PeerFacts,
): Found | Rejected | undefined {
  if (ipDetection === undefined) return undefined
  const peer = connection.remote.address
  for (const ask of ipDetection) {
    const answer = ask(headers, peer)
    if (answer.kind === 'reject') return answer
    if (answer.appendXff) setForwardedFor(headers, readForwardedFor(headers), forwardedFor)
    if (answer.kind === 'address') return answer
  }
  return { kind: 'address', address: peer, trusted: false, appendXff: false }
}

/** add_user_agent. */
function sayWho(headers: HeaderMap, { id, cluster }: NodeName): void {
  headers.set('x-envoy-downstream-service-cluster', cluster)
  if ((headers.get('user-agent') ?? '') === '') headers.set('user-agent', cluster)
  if (id !== '') headers.set('x-envoy-downstream-service-node', id)
}

function requestId(headers: HeaderMap, manager: HttpManager, edge: boolean): string | undefined {
  const present = headers.get('x-request-id')
  if (!manager.generateRequestId) return present
  if (present !== undefined && present !== '' && (!edge || manager.preserveExternalRequestId)) return present
  const id = createUuid()
  headers.set('x-request-id', id)
  return id
}

/** RFC 9110 §10.1.4: of TE only `trailers` may go on. */
function sanitizeTe(headers: HeaderMap): void {
  if (!headers.has('te')) return
  const te = headers.getAll('te')
  const trailers = te.some((value) => value.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers'))
  if (trailers) headers.set('te', 'trailers')
  else headers.delete('te')
}

/** `hops` addresses from the right are proxies that we trust; the one before them is the client. Undefined: it is the peer, as with garbage and too short lists. */
function trustedClient(list: readonly string[], manager: HttpManager): string | undefined {
  const hops = manager.xffNumTrustedHops
  const back = manager.useRemoteAddress ? hops : hops + 1
  const address = back === 0 ? undefined : list[list.length - back]
  return address !== undefined && isIpAddress(address) ? address : undefined
}

function setForwardedFor(headers: HeaderMap, list: readonly string[], own: string): void {
  const earlier = list.length === 0 ? '' : headers.getAll('x-forwarded-for').join(',')
  headers.set('x-forwarded-for', earlier === '' ? own : `${earlier},${own}`)
}

export function setJoined(headers: HeaderMap, name: string, value: string, separator: string): void {
  const present = headers.getAll(name)
  headers.set(name, present.length === 0 ? value : `${present.join(separator)}${separator}${value}`)
}
