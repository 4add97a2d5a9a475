import type { AccessLogFilter } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type {
  LocalReplyConfig,
  ResponseMapper,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { bodyOf, emptyBody } from '../http/body.js'
import { grpcMessage, grpcStatusOf } from '../http/local-reply.js'
import type { HttpResponse, LocalReply } from '../http/message.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { LogPredicate } from '../observe/access-log-filter.js'
import { createHeaderMutation, type HeaderMutation } from '../route/header-mutation.js'
import type { CompileDeps } from './compiled.js'
import { compileDataSource } from './data-source.js'
import type { Fields } from './fields.js'
import { compileHeaderOption } from './header-options.js'
import { type BodyFormat, compileBodyFormat } from './substitution-format.js'

/** Rewrites an answer of the proxy itself. `entry.info` has its status, flags and details, and gets the new status. */
export type RewriteLocalReply = (reply: LocalReply, response: HttpResponse, entry: AccessLogEntry, grpc: boolean) => void

interface Mapper {
  readonly matches: LogPredicate
  readonly status: number | undefined
  readonly body: string | undefined
  readonly format: BodyFormat | undefined
  readonly headers: HeaderMutation
}

/** local_reply_config: the first mapper whose filter matches changes status, body and headers; then the body is formatted. */
export function compileLocalReply(
  fields: Fields<LocalReplyConfig> | undefined,
  deps: CompileDeps,
): RewriteLocalReply | undefined {
  if (fields === undefined) return undefined
  const mappers = fields.messages('mappers').map((mapper) => compileMapper(mapper, deps))
  const format = compileBodyFormat(fields.message('body_format'), deps)
  fields.done()
  return (reply, response, entry, grpc) => rewrite(mappers, format, reply, response, entry, grpc)
}

function compileMapper(fields: Fields<ResponseMapper>, deps: CompileDeps): Mapper {
  const filter = fields.raw('filter') as AccessLogFilter | undefined
  if (filter === undefined) fields.problem('is required.', 'filter')
  const matches = filter === undefined ? undefined : fields.take(deps.logFilter(filter, `${fields.path}.filter`))
  const mapper: Mapper = {
    matches: matches ?? (() => false),
    status: fields.has('status_code') ? fields.number('status_code') : undefined,
    body: compileDataSource(fields.message('body'), deps),
    format: compileBodyFormat(fields.message('body_format_override'), deps),
    headers: createHeaderMutation(fields.messages('headers_to_add').map(compileHeaderOption), []),
  }
  if (mapper.status !== undefined && (mapper.status < 200 || mapper.status > 599))
    fields.problem('must be 200 to 599.', 'status_code')
  fields.done()
  return mapper
}

function rewrite(
  mappers: readonly Mapper[],
  fallback: BodyFormat | undefined,
  reply: LocalReply,
  response: HttpResponse,
  entry: AccessLogEntry,
  grpc: boolean,
): void {
  const { info } = entry
  const { headers } = response
  const toGrpc = grpc && response.status === 200
  if (toGrpc) info.status = reply.status
  const mapper = mappers.find(({ matches }) => matches(entry))
  info.status = mapper?.status ?? info.status
  const story = { info, requestHeaders: entry.requestHeaders, responseHeaders: headers }
  const typeBefore = headers.get('content-type')
  mapper?.headers.apply(headers, story)
  const text = mapper?.body ?? reply.body
  const format = mapper?.format ?? fallback
  const body = format === undefined ? text : format.format({ ...story, localReplyBody: text })
  if (toGrpc) {
    if (body !== '') headers.set('grpc-message', grpcMessage(format?.json === true ? body.trimEnd() : body))
    if (reply.grpcStatus === undefined && mapper?.status !== undefined)
      headers.set('grpc-status', String(grpcStatusOf(mapper.status)))
    info.status = 200
    return
  }
  response.status = info.status
  if (body === reply.body && reply.bytes !== undefined) return
  response.body = body === '' ? emptyBody : bodyOf(body)
  if (body === '') {
    headers.delete('content-length')
    headers.delete('content-type')
    return
  }
  headers.set('content-length', String(Buffer.byteLength(body)))
  // What headers_to_add says of the type stands.
  if (headers.get('content-type') !== typeBefore) return
  const type = format?.headers.find(([name]) => name === 'content-type')?.[1] ?? 'text/plain'
  const own = reply.headers?.some(([name]) => name.toLowerCase() === 'content-type') === true
  if (!own || format !== undefined) headers.set('content-type', type)
}
