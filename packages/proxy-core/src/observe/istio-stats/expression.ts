import { ok, type Result } from '@heddle/runtime'
import { compileCelValue } from '../../matcher/cel.js'
import type { AccessLogEntry } from '../access-log.js'
import { celAttributes } from '../cel-attributes.js'
import { asJson, asText } from '../cel-text.js'
import { DOWNSTREAM_PEER, UPSTREAM_PEER, type WorkloadMetadata } from '../peer/workload.js'

/** Who the proxy is, for expressions that ask for `node`. */
export interface ExpressionNode {
  readonly id: string
  readonly cluster: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What a tag of a Telemetry resource asks of a request or connection, as text; undefined: it cannot be told. */
export type Expression = (entry: AccessLogEntry, node: ExpressionNode) => string | undefined

/** What most tags are: one attribute. They come without building all the others. */
const ATTRIBUTES: Readonly<Record<string, Expression>> = {
  'request.host': ({ info }) => info.authority,
  'request.method': ({ info }) => info.method,
  'request.path': ({ info }) => info.originalPath ?? info.path,
  'request.url_path': ({ info }) => (info.originalPath ?? info.path).split('?', 1)[0],
  'request.protocol': ({ info }) => info.protocol,
  'request.useragent': ({ info }) => info.userAgent,
  'request.id': ({ info }) => info.requestId,
  'response.code': ({ info }) => String(info.status),
  'response.flags': ({ info }) => [...info.flags].join(','),
  'response.code_details': ({ info }) => info.details,
  'connection.requested_server_name': ({ info }) => info.sni,
  'upstream.cluster_name': ({ info }) => info.cluster,
  'xds.cluster_name': ({ info }) => info.cluster,
  'xds.route_name': ({ info }) => info.routeName,
}

const TEXT = /^(?:"([^"\\]*)"|'([^'\\]*)')$/
const HEADER = /^request\.headers\[(?:"([^"\\]+)"|'([^'\\]+)')\]$/

/** Any expression of CEL over Envoy's attributes, `node`, `upstream_peer` and `downstream_peer`. Code `cel.invalid` for what is none. */
export function compileExpression(expression: string, path: string): Result<Expression> {
  const trimmed = expression.trim()
  if (Object.hasOwn(ATTRIBUTES, trimmed)) return ok(ATTRIBUTES[trimmed]!)
  const text = TEXT.exec(trimmed)
  if (text !== null) {
    const value = text[1] ?? text[2] ?? ''
    return ok(() => value)
  }
  const header = HEADER.exec(trimmed)
  if (header !== null) {
    const name = (header[1] ?? header[2] ?? '').toLowerCase()
    return ok(({ requestHeaders }) => requestHeaders?.get(name))
  }
  const compiled = compileCelValue(trimmed, path)
  if (!compiled.ok) return compiled
  return ok((entry, node) => asText(asJson(compiled.value({ ...celAttributes(entry), ...peersOf(entry), node }))))
}

/** Under the names of Istio's attributes, those that are known. */
function peersOf({ info: { filterState } }: AccessLogEntry): Record<string, unknown> {
  const peers: Record<string, unknown> = {}
  for (const [name, key] of [
    ['downstream_peer', DOWNSTREAM_PEER],
    ['upstream_peer', UPSTREAM_PEER],
  ] as const) {
    const peer = filterState.get(key) as WorkloadMetadata | undefined
    if (peer === undefined) continue
    const { canonicalName: service, canonicalRevision: revision, name: workload, ...rest } = peer
    peers[name] = { workload, service, revision, ...rest }
  }
  return peers
}
