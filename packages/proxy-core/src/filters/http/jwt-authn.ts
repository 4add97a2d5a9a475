import type { Counter, Random } from '@heddle/runtime'
import type { JwtAuthentication, PerRouteConfig } from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import { compileMessage } from '../../config/fields.js'
import type { FilterAnswer, FilterDeps, FilterQuestion, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { LocalReply } from '../../http/message.js'
import type { Examination } from '../../jwt/authenticate.js'
import { type Extracted, sanitizeClaimHeaders } from '../../jwt/claims.js'
import { andThen, type Later } from '../../jwt/later.js'
import { type JwtProblem, PROBLEM } from '../../jwt/problems.js'
import type { JwtProvider } from '../../jwt/provider.js'
import { createRemoteKeys, type Keys, type RemoteKeys } from '../../jwt/remote-keys.js'
import type { Requirement } from '../../jwt/requirement.js'
import { createTokenCache, type TokenCache } from '../../jwt/token-cache.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { matchesAll } from '../../route/match.js'
import type { RequestHead } from '../../route/table.js'
import { compileJwtAuthn, compileJwtPerRoute, type JwtAuthnConfig, type JwtAuthnPerRoute } from './jwt-authn-config.js'

const NAMESPACE = 'envoy.filters.http.jwt_authn'
const MAX_REALM_PATH = 256

/** envoy.filters.http.jwt_authn. Without true keys it refuses: a JWKS that cannot be fetched lets nobody in. */
export const jwtAuthnFilter: HttpFilterFactory<JwtAuthnConfig> = {
  typeNames: ['envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication'],
  perRouteTypeNames: ['envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig'],
  decode: (config, path, deps) => compileMessage(config as JwtAuthentication, path, (fields) => compileJwtAuthn(fields, deps)),
  decodePerRoute: (config, path) => compileMessage(config as PerRouteConfig, path, compileJwtPerRoute),
  create(config, deps, name) {
    const keeper = createKeeper(config, deps)
    return (stream) => ({ onRequest: () => judge(config, keeper, stream, name, deps) })
  },
  explain: (config, question) => explainJwt(config, question),
}

/** What outlives a request: keys, known tokens, counters. */
interface Keeper {
  keysOf(provider: JwtProvider): Later<Keys | JwtProblem>
  cacheOf(provider: JwtProvider): TokenCache
  counter(name: string): Counter
  counted(name: string): void
}

function createKeeper({ providers, statPrefix: own }: JwtAuthnConfig, deps: FilterDeps): Keeper {
  const { clock, random, logger, stats, statPrefix = '' } = deps
  const counter = httpFilterCounter(stats, statPrefix, 'jwt_authn', own)
  const counted = (name: string): void => counter(name).inc()
  const remote = new Map<JwtProvider, RemoteKeys>()
  for (const provider of providers) {
    const { keys } = provider
    if ('uri' in keys) remote.set(provider, createRemoteKeys(keys, { http: deps.http, clock, random, logger, counted }))
  }
  const caches = new Map(
    providers.map((provider) => [provider, createTokenCache(provider.cache.entries, provider.cache.maxTokenBytes)] as const),
  )
  return {
    counter,
    counted,
    keysOf: (provider) => remote.get(provider)?.get() ?? localKeys(provider),
    cacheOf: (provider) => caches.get(provider)!,
  }
}

function localKeys({ keys }: JwtProvider): Keys | JwtProblem {
  return 'uri' in keys || keys.length === 0 ? PROBLEM.noKeys : keys
}

function judge(
  config: JwtAuthnConfig,
  keeper: Keeper,
  stream: HttpStream,
  name: string,
  deps: FilterDeps,
): Later<LocalReply | undefined> {
  const { request, info } = stream
  sanitize(config, request)
  if (config.bypassCorsPreflight && isPreflight(request)) {
    keeper.counter('cors_preflight_bypassed').inc()
    keeper.counter('allowed').inc()
    return undefined
  }
  const perRoute = stream.perRouteConfig(name) as JwtAuthnPerRoute | undefined
  const chosen = chooseRequirement(config, request, perRoute, deps.random, info)
  if (chosen === undefined || typeof chosen === 'string') {
    keeper.counter(chosen === undefined ? 'allowed' : 'denied').inc()
    return chosen === undefined ? undefined : wrongName(chosen, config)
  }
  // As it came: tokens may be taken out of it.
  const { path } = request
  const examination = examinationOf(config, request, deps.clock.now(), keeper, keeper.counted)
  return andThen(chosen(examination), (problem) => {
    remember(stream, examination.failures)
    // What a good token says stands, even where another one is wanting.
    remember(stream, examination.extracted)
    info.path = request.path
    keeper.counter(problem === undefined ? 'allowed' : 'denied').inc()
    for (const { provider, problem: why } of examination.forgiven) {
      keeper.counter('shadow_denied').inc()
      deps.logger.info({ provider, path: info.path, why: why.text }, 'jwt_authn: a token that fails was let pass')
    }
    if (problem !== undefined) return refusal(problem, realmOf(request, path), config)
    if (examination.clearRoute) stream.clearRoute()
    return undefined
  })
}

/** Of all providers, whatever is required: a backend takes these headers as told by a token, on every path. */
function sanitize({ providers }: JwtAuthnConfig, head: RequestHead): void {
  for (const provider of providers) sanitizeClaimHeaders(head, provider)
}

function examinationOf(
  { providers }: JwtAuthnConfig,
  head: RequestHead,
  now: number,
  keeper: Pick<Keeper, 'keysOf' | 'cacheOf'>,
  counted: Examination['counted'],
): Examination {
  const { keysOf, cacheOf } = keeper
  const nowSeconds = Math.floor(now / 1000)
  return { head, providers, nowSeconds, keysOf, cacheOf, counted, extracted: [], failures: [], forgiven: [], clearRoute: false }
}

/** Undefined: nothing is required. A text: a route asks for a requirement that is not there. */
function chooseRequirement(
  config: JwtAuthnConfig,
  head: RequestHead,
  perRoute: JwtAuthnPerRoute | undefined,
  random: Random,
  info: HttpStream['info'] | undefined,
): Requirement | string | undefined {
  if (perRoute !== undefined) {
    const { requirementName: name } = perRoute
    return name === undefined ? undefined : (config.named.get(name) ?? name)
  }
  const rule = config.rules.find(({ predicates }) => matchesAll(predicates, head, random))
  if (rule !== undefined) return rule.requirement
  const { byFilterState } = config
  const value = byFilterState && info?.filterState.get(byFilterState.name)
  return value === undefined ? undefined : byFilterState?.requirements.get(String(value))
}

function isPreflight({ method, headers }: RequestHead): boolean {
  return (
    method === 'OPTIONS' && (headers.get('origin') ?? '') !== '' && (headers.get('access-control-request-method') ?? '') !== ''
  )
}

function wrongName(name: string, { named, stripFailureResponse }: JwtAuthnConfig): LocalReply {
  const text = `Wrong requirement_name: ${name}. It should be one of [${[...named.keys()].sort().join(',')}]`
  return {
    status: 403,
    body: stripFailureResponse ? '' : `Failed JWT authentication: ${text}`,
    details: detailsOf(text),
  }
}

/** The whole URL, query and token included, as Envoy says it. */
function realmOf({ scheme, authority }: RequestHead, path: string): string {
  return `${scheme}://${authority}${path.slice(0, MAX_REALM_PATH)}`
}

function refusal(problem: JwtProblem, realm: string, { stripFailureResponse }: JwtAuthnConfig): LocalReply {
  const status = problem === PROBLEM.audience ? 403 : 401
  const details = detailsOf(problem.text)
  if (stripFailureResponse) return { status, body: '', details }
  const error = problem === PROBLEM.missing ? '' : ', error="invalid_token"'
  return { status, body: problem.text, details, headers: [['www-authenticate', `Bearer realm="${realm}"${error}`]] }
}

function detailsOf(text: string): string {
  return `jwt_authn_access_denied{${text.replace(/\s/g, '_')}}`
}

function remember({ info: { metadata } }: Pick<HttpStream, 'info'>, values: Extracted): void {
  if (values.length === 0) return
  const before = metadata.get(NAMESPACE)
  const [key, value] = values[0]!
  metadata.set(
    NAMESPACE,
    before === undefined && values.length === 1 ? { [key]: value } : { ...before, ...Object.fromEntries(values) },
  )
}

/** On a clone of the request's head; keys that would have to be fetched leave it open. */
function explainJwt(config: JwtAuthnConfig, question: FilterQuestion): FilterAnswer | undefined {
  const { head, clock, random, metadata } = question
  sanitize(config, head)
  if (config.bypassCorsPreflight && isPreflight(head)) return { outcome: 'pass', reason: 'a CORS preflight needs no token' }
  const chosen = chooseRequirement(config, head, question.perRoute as JwtAuthnPerRoute | undefined, random, undefined)
  if (chosen === undefined) return undefined
  if (typeof chosen === 'string') {
    const reply = wrongName(chosen, config)
    return { outcome: 'reply', reason: reply.body, reply }
  }
  const cache = createTokenCache(0, 0)
  const examination = examinationOf(
    config,
    head,
    clock.now(),
    { keysOf: (provider) => ('uri' in provider.keys ? new Promise(() => {}) : localKeys(provider)), cacheOf: () => cache },
    () => {},
  )
  const { path } = head
  const problem = chosen(examination)
  if (problem instanceof Promise) return { outcome: 'maybe', reason: 'the keys of the token are fetched when it comes' }
  if (problem !== undefined)
    return { outcome: 'reply', reason: problem.text, reply: refusal(problem, realmOf(head, path), config) }
  if (examination.extracted.length > 0) metadata.set(NAMESPACE, Object.fromEntries(examination.extracted))
  const [forgiven] = examination.forgiven
  if (forgiven !== undefined)
    return { outcome: 'pass', reason: `a token fails under ${forgiven.provider} (${forgiven.problem.text}), and is let pass` }
  return { outcome: 'pass', reason: examination.extracted.length > 0 ? 'a token is good' : 'no token that must be good' }
}
