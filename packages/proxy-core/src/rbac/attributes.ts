import type { StreamInfo } from '../http/stream-info.js'
import type { CelAttributes } from '../matcher/cel.js'
import { formatAddress } from '../net/address.js'
import { celAttributes } from '../observe/cel-attributes.js'
import type { RbacQuestion } from './question.js'

/** Envoy's attributes as they stand when a policy asks: there is no response and no upstream yet, and of a bare connection no request. */
export function rbacAttributes(question: RbacQuestion): CelAttributes {
  const { head, info = sketch(question) } = question
  const entry = { info, ...(head && { requestHeaders: head.headers }) }
  const { request, source, destination, connection, xds, metadata, filter_state } = celAttributes(entry, head)
  const own = { source, destination, connection, xds, metadata, filter_state }
  return head === undefined ? own : { ...own, request: { ...(request as object), scheme: head.scheme } }
}

/** What the question itself tells. */
function sketch({ source, destination, serverName, authenticated, principals, metadata }: RbacQuestion): StreamInfo {
  const [peerPrincipal] = principals
  return {
    ...NOTHING,
    downstreamRemote: source,
    downstreamLocal: formatAddress(destination),
    ...(serverName !== '' && { sni: serverName }),
    ...(peerPrincipal !== undefined && { peerPrincipal }),
    ...(authenticated && { downstreamTls: { version: '', peerVerified: true, peerUris: principals, localUris: [] } }),
    metadata: new Map(Array.from(metadata, ([namespace, values]) => [namespace, { ...values }])),
  }
}

const NOTHING: StreamInfo = {
  startTime: 0,
  start: 0,
  method: '',
  authority: '',
  path: '',
  protocol: '',
  status: 0,
  details: '',
  flags: new Set(),
  bytesReceived: 0,
  bytesSent: 0,
  attempts: 0,
  downstreamRemote: '',
  downstreamLocal: '',
  metadata: new Map(),
  filterState: new Map(),
}
