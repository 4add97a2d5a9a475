import type { AccessLogEntry } from '../access-log.js'
import { splitAddress } from '../operators/addresses.js'

/** The tags that Envoy gives every span, in its order. */
export function standardTags(
  entry: AccessLogEntry,
  node: { readonly id: string; readonly zone: string },
  maxPathLength: number,
): Map<string, string> {
  const { info, requestHeaders: headers } = entry
  const tags = new Map<string, string>([
    ['node_id', node.id],
    ['zone', node.zone],
  ])
  const header = (name: string, fallback: string): string => headers?.get(name) ?? fallback
  if (info.requestId !== undefined) tags.set('guid:x-request-id', info.requestId)
  const path = (info.originalPath ?? info.path).slice(0, maxPathLength)
  tags.set('http.url', `${header('x-forwarded-proto', 'http')}://${info.authority}${path}`)
  tags.set('http.method', info.method)
  tags.set('downstream_cluster', header('x-envoy-downstream-service-cluster', '-'))
  tags.set('user_agent', header('user-agent', '-'))
  tags.set('http.protocol', info.protocol)
  tags.set('peer.address', splitAddress(info.downstreamDirectRemote ?? info.downstreamRemote).host ?? '')
  const client = headers?.get('x-client-trace-id')
  if (client !== undefined) tags.set('guid:x-client-trace-id', client)
  if (header('content-type', '').startsWith('application/grpc')) grpcTags(entry, tags)
  tags.set('request_size', String(info.bytesReceived))
  commonTags(entry, tags)
  return tags
}

function grpcTags({ info, requestHeaders, responseTrailers, responseHeaders }: AccessLogEntry, tags: Map<string, string>): void {
  tags.set('grpc.path', info.path)
  tags.set('grpc.authority', info.authority)
  tags.set('grpc.content_type', requestHeaders?.get('content-type') ?? '')
  const timeout = requestHeaders?.get('grpc-timeout')
  if (timeout !== undefined) tags.set('grpc.timeout', timeout)
  if (info.grpcStatus !== undefined) tags.set('grpc.status_code', info.grpcStatus)
  const message = responseTrailers?.get('grpc-message') ?? responseHeaders?.get('grpc-message')
  if (message !== undefined) tags.set('grpc.message', message)
}

function commonTags({ info }: AccessLogEntry, tags: Map<string, string>): void {
  tags.set('component', 'proxy')
  if (info.endpoint !== undefined && info.cluster !== undefined) {
    tags.set('upstream_cluster', info.cluster)
    tags.set('upstream_cluster.name', info.cluster)
  }
  tags.set('http.status_code', String(info.status))
  tags.set('response_size', String(info.bytesSent))
  tags.set('response_flags', info.flags.size === 0 ? '-' : [...info.flags].join(','))
  if (info.status === 0 || info.status >= 500) tags.set('error', 'true')
}
