import { fail, ok, problem } from '@heddle/runtime'
import type { AccessLogEntry } from '../access-log.js'
import { type MakeOperator, present, text } from './operator.js'

function requestHeader(entry: AccessLogEntry, name: string): string | undefined {
  const { info, requestHeaders } = entry
  if (requestHeaders === undefined) return undefined
  if (name === ':method') return present(info.method)
  if (name === ':path') return present(text(info.path))
  if (name === ':scheme') return requestHeaders.get('x-forwarded-proto')
  if (name === ':authority' || name === 'host') return present(text(info.authority))
  if (name === 'x-envoy-original-path') return text(requestHeaders.get(name)) ?? present(text(info.originalPath))
  if (name === 'x-request-id') return text(requestHeaders.get(name)) ?? present(info.requestId)
  return text(requestHeaders.get(name))
}

const responseHeader = (entry: AccessLogEntry, name: string): string | undefined =>
  name === ':status' ? present(String(entry.info.status || '')) : text(entry.responseHeaders?.get(name))

function headerOperator(read: (entry: AccessLogEntry, name: string) => string | undefined): MakeOperator {
  return (args, path) => {
    const [main = '', alternative, ...rest] = args.toLowerCase().split('?')
    if (main === '' || rest.length > 0)
      return fail(problem('log.format', path, `(${args}) is no header name; write (NAME) or (NAME?ALTERNATIVE).`))
    if (alternative === undefined) return ok((entry) => read(entry, main))
    return ok((entry) => read(entry, main) ?? read(entry, alternative))
  }
}

const withoutQuery = (target: string | undefined): string | undefined => target?.replace(/\?.*$/s, '')

const pathOperator: MakeOperator = (args, path) => {
  const [query = '', which = ''] = args.split(':')
  const known = ['', 'WQ', 'NQ'].includes(query) && ['', 'PATH', 'ORIG', 'ORIG_OR_PATH'].includes(which)
  if (!known) return fail(problem('log.format', path, `%PATH(${args})%: write (WQ or NQ:ORIG, PATH or ORIG_OR_PATH).`))
  return ok((entry) => {
    const original = which === 'PATH' ? undefined : requestHeader(entry, 'x-envoy-original-path')
    const whole = original ?? (which === 'ORIG' ? undefined : requestHeader(entry, ':path'))
    return query === 'NQ' ? withoutQuery(whole) : whole
  })
}

const queryOf = (path: string): string => (path.includes('?') ? path.slice(path.indexOf('?') + 1) : '')

/** As it was sent: nothing is decoded, the first of two counts. */
function queryParameter(query: string, name: string): string | undefined {
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? '' : part.slice(equals + 1)
  }
  return undefined
}

/** What is not well encoded stays as it was sent. */
function percentDecoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** SNI_ONLY, or with the host that was asked for as the second or the first choice. */
const serverNameOperator: MakeOperator = (args, path) => {
  const [order = '', which = ''] = args.split(':')
  const known =
    ['', 'SNI_ONLY', 'SNI_FIRST', 'HOST_FIRST'].includes(order) && ['', 'ORIG', 'HOST', 'ORIG_OR_HOST'].includes(which)
  if (!known)
    return fail(
      problem(
        'log.format',
        path,
        `%REQUESTED_SERVER_NAME(${args})%: write (SNI_ONLY, SNI_FIRST or HOST_FIRST:ORIG, HOST or ORIG_OR_HOST).`,
      ),
    )
  const hostOf = (entry: AccessLogEntry): string | undefined => {
    const original = which === 'HOST' ? undefined : requestHeader(entry, 'x-envoy-original-host')
    return original ?? (which === 'ORIG' ? undefined : requestHeader(entry, ':authority'))
  }
  return ok((entry) => {
    const sni = present(entry.info.sni)
    if (order === 'SNI_FIRST') return sni ?? hostOf(entry)
    return order === 'HOST_FIRST' ? (hostOf(entry) ?? sni) : sni
  })
}

export const headerOperators: Readonly<Record<string, MakeOperator>> = {
  REQ: headerOperator(requestHeader),
  REQUEST_HEADER: headerOperator(requestHeader),
  REQ_WITHOUT_QUERY: headerOperator((entry, name) => withoutQuery(requestHeader(entry, name))),
  RESP: headerOperator(responseHeader),
  RESPONSE_HEADER: headerOperator(responseHeader),
  TRAILER: headerOperator((entry, name) => text(entry.responseTrailers?.get(name))),
  RESPONSE_TRAILER: headerOperator((entry, name) => text(entry.responseTrailers?.get(name))),
  PATH: pathOperator,
  REQUESTED_SERVER_NAME: serverNameOperator,
  QUERY_PARAM: (args, path) => {
    if (args === '') return fail(problem('log.format', path, '%QUERY_PARAM% needs (NAME).'))
    return ok((entry) => text(queryParameter(queryOf(entry.info.path), args)))
  },
  QUERY_PARAMS: (args, path) => {
    if (!['', 'ORIG', 'DECODED'].includes(args))
      return fail(problem('log.format', path, `%QUERY_PARAMS(${args})%: the argument is ORIG or DECODED.`))
    const decode = args === 'DECODED' ? percentDecoded : (query: string): string => query
    return ok((entry) => present(text(decode(queryOf(entry.info.path)))))
  },
}
