import { fail, ok, problem } from '@heddle/runtime'
import { internName } from '../../http/header-map.js'
import type { AccessLogEntry } from '../access-log.js'
import { type MakeOperator, present, text } from './operator.js'

type ReadHeader = (entry: AccessLogEntry) => string | undefined

/** How a header is read is settled when the format is compiled. */
function requestHeader(asked: string): ReadHeader {
  const name = internName(asked)
  switch (name) {
    case ':method':
      return ({ info, requestHeaders }) => requestHeaders && present(text(info.method))
    case ':path':
      return ({ info, requestHeaders }) => requestHeaders && present(text(info.path))
    case ':scheme':
      return ({ requestHeaders }) => requestHeaders?.get('x-forwarded-proto')
    case ':authority':
    case 'host':
      return ({ info, requestHeaders }) => requestHeaders && present(text(info.authority))
    case 'x-envoy-original-path':
      return ({ info, requestHeaders }) => requestHeaders && text(requestHeaders.get(name) ?? present(info.originalPath))
    case 'x-request-id':
      return ({ info, requestHeaders }) => requestHeaders && text(requestHeaders.get(name) ?? present(info.requestId))
    default:
      return ({ requestHeaders }) => text(requestHeaders?.get(name))
  }
}

function responseHeader(asked: string): ReadHeader {
  const name = internName(asked)
  if (name === ':status') return ({ info }) => present(String(info.status || ''))
  return ({ responseHeaders }) => text(responseHeaders?.get(name))
}

function trailer(asked: string): ReadHeader {
  const name = internName(asked)
  return ({ responseTrailers }) => text(responseTrailers?.get(name))
}

const eitherOf =
  (first: ReadHeader, second: ReadHeader): ReadHeader =>
  (entry) =>
    first(entry) ?? second(entry)

function headerOperator(reader: (name: string) => ReadHeader): MakeOperator {
  return (args, path) => {
    const [main = '', alternative, ...rest] = args.toLowerCase().split('?')
    if (main === '' || rest.length > 0)
      return fail(problem('log.format', path, `(${args}) is no header name; write (NAME) or (NAME?ALTERNATIVE).`))
    return ok(alternative === undefined ? reader(main) : eitherOf(reader(main), reader(alternative)))
  }
}

const withoutQuery = (target: string | undefined): string | undefined => target?.replace(/\?.*$/s, '')

const nothing: ReadHeader = () => undefined

const pathOperator: MakeOperator = (args, path) => {
  const [query = '', which = ''] = args.split(':')
  const known = ['', 'WQ', 'NQ'].includes(query) && ['', 'PATH', 'ORIG', 'ORIG_OR_PATH'].includes(which)
  if (!known) return fail(problem('log.format', path, `%PATH(${args})%: write (WQ or NQ:ORIG, PATH or ORIG_OR_PATH).`))
  const originalOf = which === 'PATH' ? nothing : requestHeader('x-envoy-original-path')
  const pathOf = which === 'ORIG' ? nothing : requestHeader(':path')
  return ok((entry) => {
    const whole = originalOf(entry) ?? pathOf(entry)
    return query === 'NQ' ? withoutQuery(whole) : whole
  })
}

/** Paths are octets; a configuration is text. */
const octetsOf = (name: string): string => Buffer.from(name).toString('latin1')
const queryOf = (path: string): string => (path.includes('?') ? path.slice(path.indexOf('?') + 1) : '')

/** The first of two counts. */
function queryParameter(query: string, name: string): string | undefined {
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    const key = equals < 0 ? part : part.slice(0, equals)
    if (percentDecoded(key) === name) return equals < 0 ? '' : percentDecoded(part.slice(equals + 1))
  }
  return undefined
}

/** Octets of octets; what is not well encoded stays as it was sent, and so does a control character: a query must not begin a line of its own. */
const percentDecoded = (encoded: string): string =>
  encoded.replace(/%(?!0|1|7f)([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

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
  const hostOf = eitherOf(
    which === 'HOST' ? nothing : requestHeader('x-envoy-original-host'),
    which === 'ORIG' ? nothing : requestHeader(':authority'),
  )
  return ok((entry) => {
    const sni = present(entry.info.sni)
    if (order === 'SNI_FIRST') return sni ?? hostOf(entry)
    return order === 'HOST_FIRST' ? (hostOf(entry) ?? sni) : sni
  })
}

export const headerOperators: Readonly<Record<string, MakeOperator>> = {
  REQ: headerOperator(requestHeader),
  REQUEST_HEADER: headerOperator(requestHeader),
  REQ_WITHOUT_QUERY: headerOperator((name) => {
    const read = requestHeader(name)
    return (entry) => withoutQuery(read(entry))
  }),
  RESP: headerOperator(responseHeader),
  RESPONSE_HEADER: headerOperator(responseHeader),
  TRAILER: headerOperator(trailer),
  RESPONSE_TRAILER: headerOperator(trailer),
  PATH: pathOperator,
  REQUESTED_SERVER_NAME: serverNameOperator,
  QUERY_PARAM: (args, path) => {
    if (args === '') return fail(problem('log.format', path, '%QUERY_PARAM% needs (NAME).'))
    const name = octetsOf(args)
    return ok((entry) => text(queryParameter(queryOf(entry.info.path), name)))
  },
  QUERY_PARAMS: (args, path) => {
    if (!['', 'ORIG', 'DECODED'].includes(args))
      return fail(problem('log.format', path, `%QUERY_PARAMS(${args})%: the argument is ORIG or DECODED.`))
    const decode = args === 'DECODED' ? percentDecoded : (query: string): string => query
    return ok((entry) => present(text(decode(queryOf(entry.info.path)))))
  },
}
