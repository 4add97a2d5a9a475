import type { StringMatch } from '../../kinds/common.js'
import type {
  CorsFilter,
  HeaderFilter,
  MirrorFilter,
  NamedValue,
  RedirectFilter,
  RewriteFilter,
  RouteFilter,
} from '../../kinds/gateway-api/http-filters.js'
import type {
  CorsPolicy,
  HeaderOperations,
  Headers,
  HTTPMirrorPolicy,
  HTTPRedirect,
  HTTPRewrite,
  HTTPRoute,
} from '../../kinds/http-route.js'
import type { Problem } from '../status.js'
import { destinationOf, type RouteContext } from './destinations.js'

/** What a rule's filters make of its route. */
export interface FilterResult {
  readonly fields: Partial<HTTPRoute>
  /** A mirror that leads nowhere; the rest holds. */
  readonly problem?: Problem
  /** A filter that nobody here knows: requests must not pass without it. */
  readonly fatal?: Problem
}

const FOR_GRPC = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror']

/** Filters of an HTTPRoute or GRPCRoute rule. */
export function applyFilters(filters: readonly RouteFilter[], context: RouteContext): FilterResult {
  const fields: Partial<HTTPRoute> = {}
  const mirrors: HTTPMirrorPolicy[] = []
  let problem: Problem | undefined
  for (const filter of filters) {
    if (context.kind === 'GRPCRoute' && !FOR_GRPC.includes(filter.type)) return { fields, fatal: unsupported(filter) }
    if (filter.type === 'RequestMirror' && filter.requestMirror !== undefined) {
      const mirror = mirrorOf(filter.requestMirror, context)
      if ('destination' in mirror) mirrors.push(mirror)
      else if (context.kind === 'GRPCRoute') return { fields, fatal: mirror }
      else problem = mirror
    } else if (!applyFilter(filter, fields)) return { fields, fatal: unsupported(filter) }
  }
  if (mirrors.length > 0) fields.mirrors = mirrors
  return problem === undefined ? { fields } : { fields, problem }
}

function unsupported({ type }: RouteFilter): Problem {
  return { reason: 'InvalidFilter', message: `unsupported filter type "${type}"` }
}

/** Whether the filter is one that is known. */
function applyFilter(filter: RouteFilter, fields: Partial<HTTPRoute>): boolean {
  if (applyHeaders(filter, fields)) return true
  if (filter.type === 'RequestRedirect') {
    if (filter.requestRedirect !== undefined) fields.redirect = redirectOf(filter.requestRedirect)
  } else if (filter.type === 'URLRewrite') {
    const rewrite = filter.urlRewrite === undefined ? undefined : rewriteOf(filter.urlRewrite)
    if (rewrite !== undefined) fields.rewrite = rewrite
  } else if (filter.type === 'CORS') {
    if (filter.cors !== undefined) fields.corsPolicy = corsOf(filter.cors)
  } else return filter.type === 'RequestMirror'
  return true
}

function applyHeaders(filter: RouteFilter, target: { headers?: Headers }): boolean {
  const request = filter.type === 'RequestHeaderModifier'
  if (!request && filter.type !== 'ResponseHeaderModifier') return false
  const written = request ? filter.requestHeaderModifier : filter.responseHeaderModifier
  if (written !== undefined) target.headers = { ...target.headers, [request ? 'request' : 'response']: headerOperations(written) }
  return true
}

/** Filters of one backend: headers only. */
export function backendHeaders(filters: readonly RouteFilter[]): { readonly headers?: Headers } | Problem {
  const target: { headers?: Headers } = {}
  for (const filter of filters) if (!applyHeaders(filter, target)) return unsupported(filter)
  return target
}

function headerOperations({ add, set, remove }: HeaderFilter): HeaderOperations {
  return {
    ...(add === undefined || add.length === 0 ? {} : { add: asMap(add) }),
    ...(remove === undefined || remove.length === 0 ? {} : { remove }),
    ...(set === undefined || set.length === 0 ? {} : { set: asMap(set) }),
  }
}

/** Of names that differ only in case the first counts. */
function asMap(list: readonly NamedValue[]): Record<string, string> {
  const map: Record<string, string> = {}
  for (const { name, value } of list) map[name.toLowerCase()] ??= value
  return map
}

function mirrorOf({ backendRef, percent, fraction }: MirrorFilter, context: RouteContext): HTTPMirrorPolicy | Problem {
  const { destination, problem } = destinationOf(backendRef, context)
  if (problem !== undefined) return problem
  const value = fraction === undefined ? percent : (100 * fraction.numerator) / (fraction.denominator ?? 100)
  return { destination, ...(value === undefined ? {} : { percentage: { value } }) }
}

function rewriteOf({ path, hostname = '' }: RewriteFilter): HTTPRewrite | undefined {
  const rewrite: HTTPRewrite = {}
  if (path?.type === 'ReplacePrefixMatch') {
    const uri = (path.replacePrefixMatch ?? '').replace(/\/$/, '')
    // `/` takes the prefix away.
    rewrite.uri = uri === '' ? '/' : uri
  } else if (path?.type === 'ReplaceFullPath') rewrite.uriRegexRewrite = { match: '/.*', rewrite: path.replaceFullPath ?? '' }
  if (hostname !== '') rewrite.authority = hostname
  return Object.keys(rewrite).length === 0 ? undefined : rewrite
}

function redirectOf({ statusCode, hostname, scheme, port, path }: RedirectFilter): HTTPRedirect {
  const redirect: HTTPRedirect = {}
  if (statusCode !== undefined) redirect.redirectCode = statusCode
  if (hostname !== undefined) redirect.authority = hostname
  if (scheme !== undefined) redirect.scheme = scheme
  if (port !== undefined) redirect.port = port
  else redirect.derivePort = scheme === undefined ? 'FROM_REQUEST_PORT' : 'FROM_PROTOCOL_DEFAULT'
  if (path?.type === 'ReplaceFullPath') redirect.uri = path.replaceFullPath ?? ''
  else if (path?.type === 'ReplacePrefixMatch') redirect.prefixRewrite = path.replacePrefixMatch ?? ''
  return redirect
}

const ANY_ORIGIN = '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+$'

function corsOf(filter: CorsFilter): CorsPolicy {
  const { allowOrigins = [], allowCredentials, allowMethods = [], allowHeaders = [], exposeHeaders = [], maxAge = 0 } = filter
  return {
    ...(allowOrigins.length === 0 ? {} : { allowOrigins: allowOrigins.filter((one) => one !== '').map(originMatch) }),
    ...(allowMethods.length === 0 ? {} : { allowMethods }),
    ...(allowHeaders.length === 0 ? {} : { allowHeaders }),
    ...(exposeHeaders.length === 0 ? {} : { exposeHeaders }),
    ...(maxAge > 0 ? { maxAge: maxAge * 1000 } : {}),
    ...(allowCredentials === true ? { allowCredentials } : {}),
    unmatchedPreflights: 'IGNORE',
  }
}

function originMatch(origin: string): StringMatch {
  if (origin === '*') return { regex: ANY_ORIGIN }
  if (!origin.includes('*')) return { exact: origin }
  return { regex: `^${origin.split('*').map(quoted).join('.*')}$` }
}

function quoted(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
