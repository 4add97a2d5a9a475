import type { DirectResponseAction, RedirectAction } from '@heddle/xds-types/envoy/config/route/v3'
import type { LocalReply } from '../http/message.js'
import { type Redirect, redirectReply, requestScheme } from '../route/redirect.js'
import { type PathRewrite, prefixRewrite, regexRewrite } from '../route/rewrite.js'
import type { RouteAction } from '../route/table.js'
import type { CompileDeps } from './compiled.js'
import { compileBinaryData, compileDataSource } from './data-source.js'
import type { Fields } from './fields.js'
import { compileSubstitution } from './substitution.js'
import { compileBodyFormat } from './substitution-format.js'

const STATUS = { MOVED_PERMANENTLY: 301, FOUND: 302, SEE_OTHER: 303, TEMPORARY_REDIRECT: 307, PERMANENT_REDIRECT: 308 } as const
/** max_direct_response_body_size_bytes where none is given. */
export const MAX_DIRECT_BODY_BYTES = 4096

export function compileRedirect(fields: Fields<RedirectAction>, matchedLength: number | undefined): RouteAction {
  const code = fields.choice(
    'response_code',
    ['MOVED_PERMANENTLY', 'FOUND', 'SEE_OTHER', 'TEMPORARY_REDIRECT', 'PERMANENT_REDIRECT'],
    'MOVED_PERMANENTLY',
  )
  const rewrite = compileRewrite(fields, matchedLength)
  const redirect: Redirect = {
    status: STATUS[code],
    httpsRedirect: fields.boolean('https_redirect'),
    scheme: fields.string('scheme_redirect'),
    host: fields.string('host_redirect'),
    port: fields.number('port_redirect'),
    path: fields.string('path_redirect'),
    ...(rewrite && { rewrite }),
    stripQuery: fields.boolean('strip_query'),
  }
  fields.done()
  return { kind: 'reply', reply: (head) => redirectReply(redirect, head) }
}

function compileRewrite(fields: Fields<RedirectAction>, matchedLength: number | undefined): PathRewrite | undefined {
  const regex = compileSubstitution(fields.message('regex_rewrite'))
  if (regex !== undefined) return regexRewrite(regex)
  const prefix = fields.string('prefix_rewrite')
  return prefix === '' ? undefined : prefixRewrite(prefix, matchedLength)
}

export function compileDirectResponse(fields: Fields<DirectResponseAction>, deps: CompileDeps, maxBytes: number): RouteAction {
  const status = fields.number('status')
  const body = compileDataSource(fields.message('body'), deps) ?? ''
  const bytes = compileBinaryData(fields.message('body')) ?? new TextEncoder().encode(body)
  const format = compileBodyFormat(fields.message('body_format'), deps)
  fields.done()
  if (status < 200 || status > 599) fields.problem('must be from 200 to 599.', 'status')
  if (bytes.length > maxBytes) fields.problem(`is longer than max_direct_response_body_size_bytes (${maxBytes}).`, 'body')
  const reply: LocalReply = {
    status,
    body,
    details: 'direct_response',
    ...(!format && { bytes }),
    ...(format && { format: format.format, headers: format.headers }),
  }
  if (status !== 201 && (status < 300 || status > 399)) return { kind: 'reply', reply: () => reply }
  // RFC 9110 §10.2.2: of what was created, or where to go. Without anything better Envoy says where one is.
  return {
    kind: 'reply',
    reply: (head) => ({
      ...reply,
      headers: [...(reply.headers ?? []), ['location', `${requestScheme(head)}://${head.authority}${head.path}`]],
    }),
  }
}
