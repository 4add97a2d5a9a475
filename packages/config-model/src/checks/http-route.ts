import { into, refuse, type Site, warn } from '../decode/site.js'
import type { StringMatch } from '../kinds/common.js'
import type {
  CorsPolicy,
  HTTPDirectResponse,
  HTTPMatchRequest,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
  HTTPRoute,
} from '../kinds/http-route.js'
import { isDnsLabel } from '../names/host.js'
import { CODE } from './code.js'
import { checkDestination, checkWeights } from './destination.js'
import { checkDuration } from './duration.js'
import { each, eachEntry } from './each.js'
import { checkFault, checkHttpStatus } from './fault.js'
import { checkHeaderName, checkHeaders, isAuthority, isMatchName } from './header.js'
import { checkGatewayName } from './host.js'
import { checkLabels } from './labels.js'
import { checkPort } from './port.js'
import { checkMatchRegex, checkRegex, checkStringMatch } from './regex.js'

/** A rule of a VirtualService; `delegate`: of one without hosts. */
export function checkHttpRoute(route: HTTPRoute, at: Site, delegate: boolean): void {
  const delegating = delegate || route.delegate !== undefined
  checkConflicts(route, at, delegate)
  each(route.match, at, 'match', (match, place) => {
    checkMatch(match, place, delegating)
  })
  checkHeaders(route.headers, at)
  checkCors(route.corsPolicy, into(at, 'corsPolicy'))
  checkFault(route.fault, into(at, 'fault'))
  if (route.mirror !== undefined) checkDestination(route.mirror, into(at, 'mirror'))
  if (route.mirrorPercentage !== undefined) checkMirrorPercentage(route.mirrorPercentage.value, into(at, 'mirrorPercentage'))
  each(route.mirrors, at, 'mirrors', ({ destination, percentage }, place) => {
    checkDestination(destination, into(place, 'destination'))
    if (percentage !== undefined) checkMirrorPercentage(percentage.value, into(place, 'percentage'))
  })
  checkRedirect(route.redirect, into(at, 'redirect'))
  if ((route.redirect?.prefixRewrite ?? '') !== '') checkPrefixMatches(route, at)
  checkDirectResponse(route.directResponse, into(at, 'directResponse'))
  checkRetries(route.retries, into(at, 'retries'))
  checkRewrite(route.rewrite, into(at, 'rewrite'))
  checkAuthorityOnce(route, at)
  each(route.route, at, 'route', ({ destination, headers }, place) => {
    checkHeaders(headers, place)
    checkDestination(destination, into(place, 'destination'))
  })
  checkWeights(route.route, at)
  checkDuration(route.timeout, at, 'timeout')
}

function checkConflicts(route: HTTPRoute, at: Site, delegate: boolean): void {
  if (route.mirror !== undefined && (route.mirrors ?? []).length > 0)
    refuse(at, CODE.conflict, 'HTTP route cannot contain both mirror and mirrors')
  if (!delegate && route.delegate !== undefined) {
    if (route.redirect !== undefined)
      refuse(into(at, 'redirect'), CODE.conflict, 'root HTTP route must not specify redirect beside delegate')
    if (route.route !== undefined)
      refuse(into(at, 'route'), CODE.conflict, 'root HTTP route must not specify route beside delegate')
    return
  }
  if (delegate && route.delegate !== undefined)
    refuse(into(at, 'delegate'), CODE.conflict, 'delegate HTTP route cannot contain delegate')
  const routed = (route.route ?? []).length > 0
  if (route.redirect !== undefined) {
    if (routed) refuse(at, CODE.conflict, 'HTTP route cannot contain both route and redirect')
    if (route.fault !== undefined) refuse(at, CODE.conflict, 'HTTP route cannot contain both fault and redirect')
    if (route.rewrite !== undefined) refuse(at, CODE.conflict, 'HTTP route rule cannot contain both rewrite and redirect')
    if (route.directResponse !== undefined)
      refuse(at, CODE.conflict, 'HTTP route rule cannot contain both directResponse and redirect')
  } else if (route.directResponse !== undefined) {
    if (routed) refuse(at, CODE.conflict, 'HTTP route cannot contain both route and directResponse')
    if (route.fault !== undefined) refuse(at, CODE.conflict, 'HTTP route cannot contain both fault and directResponse')
    if (route.rewrite !== undefined) refuse(at, CODE.conflict, 'HTTP route rule cannot contain both rewrite and directResponse')
  } else if (!routed) refuse(at, CODE.required, 'HTTP route, redirect or directResponse is required')
}

function checkMatch(match: HTTPMatchRequest, at: Site, delegating: boolean): void {
  const check = delegating ? noRegex : checkStringMatch
  for (const field of ['uri', 'scheme', 'method', 'authority'] as const) {
    check(match[field], into(at, field))
  }
  const checkNamed = (name: string, value: StringMatch | undefined, place: Site): void => {
    if (!isMatchName(name)) checkHeaderName(name, place)
    check(value, place)
  }
  eachEntry(match.headers, at, 'headers', checkNamed)
  eachEntry(match.withoutHeaders, at, 'withoutHeaders', checkNamed)
  eachEntry(match.queryParams, at, 'queryParams', (_name, value, place) => {
    check(value, place)
  })
  if (match.port !== undefined && match.port !== 0) checkPort(match.port, into(at, 'port'))
  checkLabels(match.sourceLabels, at, 'sourceLabels')
  each(match.gateways, at, 'gateways', checkGatewayName)
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== '' && !isDnsLabel(match.sourceNamespace)) {
    refuse(into(at, 'sourceNamespace'), CODE.invalid, `sourceNamespace match ${match.sourceNamespace} is invalid`)
  }
}

function noRegex(match: StringMatch | undefined, at: Site): void {
  if (match !== undefined && 'regex' in match)
    refuse(at, CODE.conflict, 'does not support regex match for delegating: use exact or prefix')
}

function checkMirrorPercentage(value: number, at: Site): void {
  if (value < 0 || value > 100) refuse(at, CODE.range, `mirror percentage must be from 0 to 100 (it has ${value})`)
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']

function checkCors(policy: CorsPolicy | undefined, at: Site): void {
  if (policy === undefined) return
  each(policy.allowOrigins, at, 'allowOrigins', (match, place) => {
    if (Object.values(match)[0] === '') refuse(place, CODE.invalid, "'' is not a valid match type for CORS allow origins")
    else checkMatchRegex(match, place)
  })
  each(policy.allowMethods, at, 'allowMethods', (method, place) => {
    if (method !== '*' && !METHODS.includes(method)) refuse(place, CODE.invalid, `"${method}" is not a supported HTTP method`)
  })
  const checkName = (name: string, place: Site): void => {
    if (name !== '*') checkHeaderName(name, place)
  }
  each(policy.allowHeaders, at, 'allowHeaders', checkName)
  each(policy.exposeHeaders, at, 'exposeHeaders', checkName)
  checkDuration(policy.maxAge, at, 'maxAge')
  if (policy.maxAge !== undefined && policy.maxAge % 1000 !== 0) {
    refuse(into(at, 'maxAge'), CODE.duration, 'max_age duration is accurate only to seconds precision')
  }
}

function checkRedirect(redirect: HTTPRedirect | undefined, at: Site): void {
  if (redirect === undefined) return
  const { uri = '', authority = '', scheme = '', port, derivePort, redirectCode = 0, prefixRewrite = '' } = redirect
  if (uri === '' && authority === '' && scheme === '' && prefixRewrite === '' && port === undefined && derivePort === undefined) {
    refuse(at, CODE.required, 'redirect must specify URI, authority, scheme, or port')
  }
  if (uri !== '' && prefixRewrite !== '') refuse(at, CODE.conflict, 'only one of uri and prefixRewrite may be set')
  if (port !== undefined && derivePort !== undefined) refuse(at, CODE.conflict, 'only one of port and derivePort may be set')
  if (redirectCode !== 0 && (redirectCode < 300 || redirectCode > 399)) {
    refuse(into(at, 'redirectCode'), CODE.range, `${redirectCode} is not a valid redirect code, must be 3xx`)
  }
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    refuse(into(at, 'scheme'), CODE.invalid, 'invalid redirect scheme, must be "http" or "https"')
  }
  if (port !== undefined && port !== 0) checkPort(port, into(at, 'port'))
}

// The part of the path that is replaced is the one that a prefix matched.
function checkPrefixMatches(route: HTTPRoute, at: Site): void {
  each(route.match, at, 'match', ({ uri }, place) => {
    if (uri === undefined || 'prefix' in uri) return
    refuse(into(place, 'uri'), CODE.conflict, 'redirect.prefixRewrite needs a uri match by prefix, or none')
  })
}

const LARGE_BODY = 100 * 1024
const MAX_BODY = 1024 * 1024

function checkDirectResponse(response: HTTPDirectResponse | undefined, at: Site): void {
  if (response === undefined) return
  const { body, status } = response
  const size =
    body === undefined ? 0 : 'string' in body ? new TextEncoder().encode(body.string).length : (body.bytes.length * 3) / 4
  if (size > MAX_BODY)
    refuse(into(at, 'body'), CODE.range, 'large direct_responses may impact control plane performance, must be less than 1MB')
  else if (size > LARGE_BODY) warn(into(at, 'body'), CODE.range, 'large direct_responses may impact control plane performance')
  checkHttpStatus(status, into(at, 'status'))
}

const RETRY_ON: ReadonlySet<string> = new Set(
  (
    '5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream retriable-status-codes retriable-headers ' +
    'envoy-ratelimited http3-post-connect-failure cancelled deadline-exceeded internal resource-exhausted unavailable'
  ).split(' '),
)

function checkRetries(retries: HTTPRetry | undefined, at: Site): void {
  if (retries === undefined) return
  const { attempts = 0, perTryTimeout, retryOn = '', retryRemoteLocalities, backoff } = retries
  if (attempts < 0) refuse(into(at, 'attempts'), CODE.range, 'attempts cannot be negative')
  if (attempts === 0 && (perTryTimeout !== undefined || retryOn !== '' || retryRemoteLocalities !== undefined)) {
    refuse(at, CODE.conflict, 'http retry policy configured when attempts are set to 0 (disabled)')
  }
  checkDuration(perTryTimeout, at, 'perTryTimeout')
  checkDuration(backoff, at, 'backoff')
  if (retryOn === '') return
  for (const policy of retryOn.split(',')) {
    if (!RETRY_ON.has(policy) && !isKnownStatus(policy)) {
      refuse(
        into(at, 'retryOn'),
        CODE.invalid,
        `"${policy}" is not a valid retryOn policy: an HTTP status, or one of ${[...RETRY_ON].join(', ')}`,
      )
    }
  }
}

// Those that Go's net/http has a text for.
function isKnownStatus(text: string): boolean {
  if (!/^[+]?\d{3}$/.test(text)) return false
  const status = Number(text)
  const ranges = [
    [100, 103],
    [200, 208],
    [226, 226],
    [300, 305],
    [307, 308],
    [400, 418],
    [421, 426],
    [428, 429],
    [431, 431],
    [451, 451],
    [500, 508],
    [510, 511],
  ] as const
  return ranges.some(([from, to]) => status >= from && status <= to)
}

function checkRewrite(rewrite: HTTPRewrite | undefined, at: Site): void {
  if (rewrite === undefined) return
  const { uri = '', authority = '', uriRegexRewrite } = rewrite
  if (uri !== '' && uriRegexRewrite !== undefined)
    refuse(at, CODE.conflict, 'rewrite may only contain one of URI or UriRegexRewrite')
  if (uri === '' && authority === '' && uriRegexRewrite === undefined) {
    refuse(at, CODE.required, 'rewrite must specify at least one of URI, UriRegexRewrite, or authority')
  }
  if (uriRegexRewrite === undefined) return
  const place = into(at, 'uriRegexRewrite')
  if (uriRegexRewrite.match === '' || uriRegexRewrite.rewrite === '')
    refuse(place, CODE.required, 'UriRegexRewrite requires both Rewrite and Match fields to be specified')
  else checkRegex(uriRegexRewrite.match, into(place, 'match'))
}

// The authority may be rewritten in one place only.
function checkAuthorityOnce(route: HTTPRoute, at: Site): void {
  const given = [
    ...(route.rewrite?.authority === undefined || route.rewrite.authority === '' ? [] : [route.rewrite.authority]),
    ...[...Object.keys(route.headers?.request?.set ?? {}), ...Object.keys(route.headers?.request?.add ?? {})].filter(isAuthority),
  ]
  if (given.length > 1)
    refuse(at, CODE.conflict, 'authority header cannot be set multiple times: in rewrite.authority or once in headers.request')
}
