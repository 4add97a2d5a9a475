import { fields } from '../decode/fields.js'
import { refuse, warn } from '../decode/site.js'
import { stringMatch, stringMatches } from '../decode/string-match.js'
import { CODE_DEPRECATED, type Decode, duration, flag, int32, listOf, oneOf, text, uint32 } from '../decode/value.js'
import type { Duration, Percent, PortSelector, StringMatch } from './common.js'
import { percent, portSelector, textMap, texts } from './common.js'

/** Where traffic goes. */
export interface Destination {
  /** As written; a short name belongs to the namespace of the VirtualService. */
  host: string
  subset?: string
  port?: PortSelector
}

export interface HeaderOperations {
  set?: Readonly<Record<string, string>>
  add?: Readonly<Record<string, string>>
  remove?: readonly string[]
}

export interface Headers {
  request?: HeaderOperations
  response?: HeaderOperations
}

export interface HTTPRouteDestination {
  destination: Destination
  weight?: number
  headers?: Headers
}

/** One rule of a VirtualService. `redirect` wins over `directResponse`, which wins over `route`. */
export interface HTTPRoute {
  name?: string
  /** Blocks are OR-ed, what is in a block is AND-ed. Absent or empty: everything. */
  match?: readonly HTTPMatchRequest[]
  route?: readonly HTTPRouteDestination[]
  redirect?: HTTPRedirect
  directResponse?: HTTPDirectResponse
  delegate?: { name?: string; namespace?: string }
  rewrite?: HTTPRewrite
  /** Absent: no timeout. */
  timeout?: Duration
  retries?: HTTPRetry
  fault?: HTTPFaultInjection
  mirror?: Destination
  /** Absent: 100; 0: no mirror. */
  mirrorPercentage?: Percent
  /** @deprecated Whole percents; read when `mirrorPercentage` is absent. */
  mirrorPercent?: number
  mirrors?: readonly HTTPMirrorPolicy[]
  corsPolicy?: CorsPolicy
  headers?: Headers
}

export interface HTTPMirrorPolicy {
  destination: Destination
  percentage?: Percent
}

export interface HTTPMatchRequest {
  name?: string
  uri?: StringMatch
  scheme?: StringMatch
  method?: StringMatch
  authority?: StringMatch
  /** `{}` as value (an empty StringMatch) means that the header is present: here `undefined` stands for it. */
  headers?: Readonly<Record<string, StringMatch | undefined>>
  port?: number
  sourceLabels?: Readonly<Record<string, string>>
  gateways?: readonly string[]
  queryParams?: Readonly<Record<string, StringMatch | undefined>>
  ignoreUriCase?: boolean
  withoutHeaders?: Readonly<Record<string, StringMatch | undefined>>
  sourceNamespace?: string
  statPrefix?: string
}

export interface HTTPRedirect {
  uri?: string
  authority?: string
  scheme?: string
  port?: number
  derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT'
  /** 301 (default), 302, 303, 307 or 308. */
  redirectCode?: number
  prefixRewrite?: string
}

export interface HTTPDirectResponse {
  status: number
  /** `bytes` is base64. */
  body?: { string: string } | { bytes: string }
  headers?: Readonly<Record<string, string>>
}

export interface HTTPRewrite {
  uri?: string
  authority?: string
  uriRegexRewrite?: { match: string; rewrite: string }
}

export interface HTTPRetry {
  /** 0 disables retries. */
  attempts?: number
  /** Default: the timeout of the route. */
  perTryTimeout?: Duration
  retryOn?: string
  retryRemoteLocalities?: boolean
  /** Default true. */
  retryIgnorePreviousHosts?: boolean
  /** Base interval; default 25 ms. */
  backoff?: Duration
}

export interface CorsPolicy {
  /** @deprecated Exact origins; read when `allowOrigins` is absent. */
  allowOrigin?: readonly string[]
  allowOrigins?: readonly StringMatch[]
  allowMethods?: readonly string[]
  allowHeaders?: readonly string[]
  exposeHeaders?: readonly string[]
  maxAge?: Duration
  allowCredentials?: boolean
  unmatchedPreflights?: 'UNSPECIFIED' | 'FORWARD' | 'IGNORE'
}

export interface HTTPFaultInjection {
  delay?: FaultDelay
  abort?: FaultAbort
}

export interface FaultDelay {
  /** Absent: 0. */
  percentage?: Percent
  /** @deprecated Whole percents; read when `percentage` is absent. */
  percent?: number
  fixedDelay?: Duration
  exponentialDelay?: Duration
}

export interface FaultAbort {
  httpStatus?: number
  grpcStatus?: string
  http2Error?: string
  percentage?: Percent
}

export const destination: Decode<Destination> = fields<Destination>(
  { host: text, subset: text, port: portSelector },
  { defaults: { host: '' } },
)

const headerOperations = fields<HeaderOperations>({ set: textMap, add: textMap, remove: texts })
const headers = fields<Headers>({ request: headerOperations, response: headerOperations })

const httpMatch = fields<HTTPMatchRequest>({
  name: text,
  uri: stringMatch,
  scheme: stringMatch,
  method: stringMatch,
  authority: stringMatch,
  headers: stringMatches,
  port: uint32,
  sourceLabels: textMap,
  gateways: texts,
  queryParams: stringMatches,
  ignoreUriCase: flag,
  withoutHeaders: stringMatches,
  sourceNamespace: text,
  statPrefix: text,
})

const routeDestination = fields<HTTPRouteDestination>({ destination, weight: int32, headers }, { required: ['destination'] })

const redirect = fields<HTTPRedirect>({
  uri: text,
  authority: text,
  scheme: text,
  port: uint32,
  derivePort: oneOf('FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'),
  redirectCode: uint32,
  prefixRewrite: text,
})

const body: Decode<NonNullable<HTTPDirectResponse['body']>> = (value, site) => {
  const written = fields<{ string?: string; bytes?: string }>({ string: text, bytes: text })(value, site)
  if (written?.string !== undefined && written.bytes !== undefined)
    refuse(site, 'config.one_of', 'only one of string and bytes may be set')
  else if (written?.string !== undefined) return { string: written.string }
  else if (written?.bytes !== undefined) return { bytes: written.bytes }
  return undefined
}

const directResponse = fields<HTTPDirectResponse>({ status: uint32, body, headers: textMap }, { defaults: { status: 0 } })

const retries = fields<HTTPRetry>({
  attempts: int32,
  perTryTimeout: duration,
  retryOn: text,
  retryRemoteLocalities: flag,
  retryIgnorePreviousHosts: flag,
  backoff: duration,
})

export const httpRetry: Decode<HTTPRetry> = retries

const corsPolicy = fields<CorsPolicy>({
  allowOrigin: texts,
  allowOrigins: listOf(stringMatch),
  allowMethods: texts,
  allowHeaders: texts,
  exposeHeaders: texts,
  maxAge: duration,
  allowCredentials: flag,
  unmatchedPreflights: oneOf('UNSPECIFIED', 'FORWARD', 'IGNORE'),
})

/** A whole percentage of the past, instead of `newer`. */
function oldPercent(old: string, newer: string): Decode<number> {
  return (value, site) => {
    const whole = int32(value, site)
    if (whole === undefined) return undefined
    warn(site, CODE_DEPRECATED, `${old} is deprecated: use ${newer}.value`)
    if (whole < 0 || whole > 100) refuse(site, 'config.range', `percentage ${whole} is not in range 0..100`)
    return whole
  }
}

const fault = fields<HTTPFaultInjection>({
  delay: fields<FaultDelay>({
    percentage: percent,
    percent: oldPercent('percent', 'percentage'),
    fixedDelay: duration,
    exponentialDelay: duration,
  }),
  abort: fields<FaultAbort>({ httpStatus: int32, grpcStatus: text, http2Error: text, percentage: percent }),
})

export const httpRoute: Decode<HTTPRoute> = fields<HTTPRoute>({
  name: text,
  match: listOf(httpMatch, {}),
  route: listOf(routeDestination),
  redirect,
  directResponse,
  delegate: fields<{ name?: string; namespace?: string }>({ name: text, namespace: text }),
  rewrite: fields<HTTPRewrite>({
    uri: text,
    authority: text,
    uriRegexRewrite: fields<{ match: string; rewrite: string }>(
      { match: text, rewrite: text },
      { defaults: { match: '', rewrite: '' } },
    ),
  }),
  timeout: duration,
  retries,
  fault,
  mirror: destination,
  mirrorPercentage: percent,
  mirrorPercent: oldPercent('mirrorPercent', 'mirrorPercentage'),
  mirrors: listOf(fields<HTTPMirrorPolicy>({ destination, percentage: percent }, { required: ['destination'] })),
  corsPolicy,
  headers,
})
