import type { Duration, Percent, PortSelector, StringMatch } from './common.js'

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
  /** The deprecated `mirrorPercent` and `mirror_percent` are read as this. Absent: 100; 0: no mirror. */
  mirrorPercentage?: Percent
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
  /** The deprecated `percent` is read as this. Absent: 0. */
  percentage?: Percent
  fixedDelay?: Duration
  exponentialDelay?: Duration
}

export interface FaultAbort {
  httpStatus?: number
  grpcStatus?: string
  http2Error?: string
  percentage?: Percent
}
