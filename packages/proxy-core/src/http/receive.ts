import type { HttpManager } from '../config/compiled.js'
import { formatAddress } from '../net/address.js'
import type { HttpStats } from '../observe/stats.js'
import type { RouteDecision } from '../route/decision.js'
import type { HeaderMap } from './header-map.js'
import { identifyRequest, type NodeName, type PeerFacts, type RequestIdentity } from './identity.js'
import { JOINED_IN_REQUESTS, joinFields } from './joined-fields.js'
import { isGrpc } from './local-reply.js'
import type { HttpRequest, LocalReply } from './message.js'
import { normalizePath } from './normalize.js'
import type { StreamInfo } from './stream-info.js'

/** `closes`: nothing more is read from the connection. */
export type Received =
  | { readonly kind: 'request'; readonly closes: false; readonly identity: RequestIdentity }
  | { readonly kind: 'reply'; readonly closes: boolean; readonly reply: LocalReply }

interface Receiver {
  readonly manager: HttpManager
  readonly stats: HttpStats
  readonly node: NodeName
}

/** Checks a request that has come and makes it the proxy's own: host, path, identity. The order of the steps is Envoy's. */
export function receiveRequest(
  request: HttpRequest,
  info: StreamInfo,
  { manager, stats, node }: Receiver,
  peer: PeerFacts,
): Received {
  joinFields(request.headers, JOINED_IN_REQUESTS)
  if (request.missingHost === true) return { kind: 'reply', closes: true, reply: refusal(400, 'missing_host_header') }
  // RFC 10008 §2: what a QUERY asks is in its content, which must say what it is.
  if (request.method === 'QUERY' && !request.headers.has('content-type'))
    return { kind: 'reply', closes: true, reply: refusal(400, 'query_missing_content_type') }
  if (manager.headersWithUnderscores !== 'ALLOW' && !underscoresAllowed(request.headers, manager, stats))
    return { kind: 'reply', closes: true, reply: refuseUnderscore(info, stats) }
  stripHost(request, manager, peer.connection.local.port)
  if (request.method !== 'CONNECT') {
    const reply = takePath(request, info, manager)
    if (reply !== undefined) return { kind: 'reply', closes: reply.status === 400, reply }
  }
  const { tls } = peer.connection
  if (tls?.peer !== undefined) request.clientCertificate = tls.peerVerified ? 'validated' : 'untrusted'
  if (manager.earlyMutations !== undefined) {
    const entry = { info, requestHeaders: request.headers }
    for (const mutate of manager.earlyMutations) mutate(request.headers, entry)
  }
  const identity = identifyRequest(request, manager, peer, node)
  if (identity.kind === 'reject') return { kind: 'reply', closes: false, reply: identity.reply }
  if (identity.requestId !== undefined) info.requestId = identity.requestId
  info.path = request.path
  info.authority = request.authority
  if (identity.clientAddress !== peer.connection.remote.address) {
    info.downstreamDirectRemote ??= info.downstreamRemote
    info.downstreamRemote = formatAddress({ address: identity.clientAddress, port: 0 })
  }
  return { kind: 'request', closes: false, identity }
}

function takePath(request: HttpRequest, info: StreamInfo, manager: HttpManager): LocalReply | undefined {
  // `OPTIONS *` as well: only paths are routed.
  if (!request.path.startsWith('/')) return refusal(404, 'absolute_path_rejected')
  const normalized = normalizePath(request.path, manager)
  if (normalized.kind !== 'path') info.path = normalized.path
  if (normalized.kind === 'reject') return refusal(400, 'path_normalization_failed')
  if (normalized.kind === 'redirect' && isGrpc(request.headers)) return refusal(400, 'path_normalization_failed')
  if (normalized.kind === 'redirect')
    return { ...refusal(307, 'path_normalization_failed'), headers: [['location', normalized.path]] }
  request.path = normalized.path
  return undefined
}

/** As the codec refuses a head: nothing of it is told. */
function refuseUnderscore(info: StreamInfo, stats: HttpStats): LocalReply {
  info.method = info.path = info.authority = ''
  if (info.protocol === 'HTTP/2') {
    stats.codec.requestsRejectedWithUnderscores.inc()
    return UNDERSCORE_OF_HTTP2
  }
  stats.requestsRejectedWithUnderscores.inc()
  return { status: 400, body: 'Bad Request', details: 'http1.unexpected_underscore', flag: 'DPE' }
}

/** HTTP/2 resets the stream for it: a status of 0 is sent to nobody. */
const UNDERSCORE_OF_HTTP2: LocalReply = { status: 0, body: '', details: 'http2.unexpected_underscore', flag: 'DR' }

function underscoresAllowed(headers: HeaderMap, manager: HttpManager, stats: HttpStats): boolean {
  if (manager.headersWithUnderscores === 'DROP_HEADER') {
    headers.deleteWhere((name) => {
      const dropped = name.includes('_')
      if (dropped) stats.droppedHeadersWithUnderscores.inc()
      return dropped
    })
    return true
  }
  for (let i = 0; i < headers.size; i++) if (headers.nameAt(i).includes('_')) return false
  return true
}

/** Envoy's answers before routing: an empty body and no flag. */
function refusal(status: number, details: string): LocalReply {
  return { status, body: '', details }
}

const UPGRADE_FAILED: LocalReply = { status: 403, body: '', details: 'upgrade_failed' }

/** An upgrade that route or manager allow is the request's; `h2c` is not taken up: its request is one like any other. */
export function takeUpgrade(
  request: HttpRequest,
  upgrade: string,
  route: () => RouteDecision | undefined,
  { upgrades }: HttpManager,
): LocalReply | undefined {
  if (upgrade === 'h2c') {
    for (const name of ['connection', 'upgrade', 'http2-settings']) request.headers.delete(name)
    return undefined
  }
  const decision = route()
  const action = decision?.kind === 'forward' && decision.route.action.kind === 'forward' ? decision.route.action : undefined
  if (action?.upgrades.get(upgrade) ?? upgrades.has(upgrade)) request.upgrade = upgrade
  else if (upgrade !== 'connect' || (decision !== undefined && decision.kind !== 'none')) return UPGRADE_FAILED
  return undefined
}

/** strip_trailing_host_dot, strip_any_host_port and strip_matching_host_port, in Envoy's order. */
export function stripHost(
  request: Pick<HttpRequest, 'authority'>,
  manager: Pick<HttpManager, 'stripTrailingHostDot' | 'stripAnyHostPort' | 'stripMatchingHostPort'>,
  localPort: number,
): void {
  if (manager.stripTrailingHostDot) request.authority = withoutTrailingDot(request.authority)
  if (manager.stripAnyHostPort || manager.stripMatchingHostPort) {
    const port = /:(\d+)$/.exec(request.authority)
    if (port !== null && (manager.stripAnyHostPort || Number(port[1]) === localPort))
      request.authority = request.authority.slice(0, port.index)
  }
}

/** The last dot may stand before a port as well. */
function withoutTrailingDot(authority: string): string {
  const dot = authority.lastIndexOf('.')
  const trailing = dot >= 0 && (dot === authority.length - 1 || authority[dot + 1] === ':')
  return trailing ? authority.slice(0, dot) + authority.slice(dot + 1) : authority
}
