import type { RequestHead } from '../route/table.js'
import { addClaimHeaders, type Extracted, extractData } from './claims.js'
import { verifySignature } from './jwks.js'
import { andThen, type Later } from './later.js'
import type { FoundToken } from './locations.js'
import { isProblem, type JwtProblem, PROBLEM } from './problems.js'
import type { JwtProvider } from './provider.js'
import type { Keys } from './remote-keys.js'
import { type Jwt, parseJwt } from './token.js'
import type { TokenCache } from './token-cache.js'

/** One request under examination, and what is known to judge it by. */
export interface Examination {
  readonly head: RequestHead
  /** Seconds since 1970. */
  readonly nowSeconds: number
  readonly providers: readonly JwtProvider[]
  keysOf(provider: JwtProvider): Later<Keys | JwtProblem>
  cacheOf(provider: JwtProvider): TokenCache
  counted(name: 'jwt_cache_hit' | 'jwt_cache_miss'): void
  /** Dynamic metadata that good tokens give; in force whatever comes of it. */
  readonly extracted: Extracted
  /** Of failed_status_in_metadata: in force whatever comes of it. */
  readonly failures: Extracted
  /** Failures that allow_missing_or_failed let pass, and whose rule each was against. */
  readonly forgiven: { readonly problem: JwtProblem; readonly provider: string }[]
  clearRoute: boolean
}

/** What a requirement makes of tokens. */
export interface Demand {
  /** Undefined: whichever provider the issuer belongs to. */
  readonly provider?: JwtProvider
  /** In place of the provider's audiences. */
  readonly allowsAudience?: (audiences: readonly string[]) => boolean
  readonly allowFailed: boolean
  readonly allowMissing: boolean
}

/** Undefined: the demand is met. Every token that was found must be good: of two, the backend might use the bad one. */
export function authenticate(
  examination: Examination,
  demand: Demand,
  tokens: readonly FoundToken[],
): Later<JwtProblem | undefined> {
  // No token has no status to keep (failed_status_in_metadata), as in Envoy.
  if (tokens.length === 0) return demand.allowFailed || demand.allowMissing ? undefined : PROBLEM.missing
  return authenticateFrom(examination, demand, tokens, tokens.length - 1)
}

function authenticateFrom(
  examination: Examination,
  demand: Demand,
  tokens: readonly FoundToken[],
  index: number,
): Later<JwtProblem | undefined> {
  return andThen(examine(examination, demand, tokens[index]!), (problem) => {
    const mustAllBeGood = !demand.allowFailed && !demand.allowMissing
    if (index > 0 && (problem === undefined || !mustAllBeGood)) return authenticateFrom(examination, demand, tokens, index - 1)
    if (problem === undefined || !demand.allowFailed) return problem
    examination.forgiven.push({ problem, provider: blamed(examination, tokens[index]!) })
    return undefined
  })
}

/** The provider that a failed token would have belonged to. */
function blamed({ providers }: Examination, { text }: FoundToken): string {
  const jwt = parseJwt(text)
  const owner = isProblem(jwt) ? undefined : ownerOf(jwt.issuer, providers)
  return (owner ?? providers[0])?.name ?? ''
}

function examine(examination: Examination, demand: Demand, token: FoundToken): Later<JwtProblem | undefined> {
  const jwt = parsed(examination, demand.provider, token.text)
  if (isProblem(jwt)) return failed(examination, demand.provider, jwt)
  if (!token.allowsIssuer(jwt.issuer)) return failed(examination, demand.provider, PROBLEM.unknownIssuer)
  const provider = demand.provider ?? ownerOf(jwt.issuer, examination.providers)
  if (provider === undefined) return failed(examination, undefined, PROBLEM.unknownIssuer)
  const wrong = wrongClaim(jwt, provider, demand, examination.nowSeconds)
  if (wrong !== undefined) return failed(examination, provider, wrong)
  const keys = examination.keysOf(provider)
  return keys instanceof Promise
    ? keys.then((came) => verify(examination, provider, token, jwt, came))
    : verify(examination, provider, token, jwt, keys)
}

function verify(
  examination: Examination,
  provider: JwtProvider,
  token: FoundToken,
  jwt: Jwt,
  keys: Keys | JwtProblem,
): JwtProblem | undefined {
  if (isProblem(keys)) return failed(examination, provider, keys)
  const cache = examination.cacheOf(provider)
  if (cache.get(token.text, keys) === undefined) {
    const problem = verifySignature(jwt, keys)
    if (problem !== undefined) return failed(examination, provider, problem)
    cache.set(token.text, keys, jwt)
  }
  accept(examination, provider, token, jwt)
  return undefined
}

function failed(examination: Examination, provider: JwtProvider | undefined, problem: JwtProblem): JwtProblem {
  noteFailure(examination, provider, problem)
  return problem
}

/** A token that is known already need not be read again. */
function parsed(examination: Examination, provider: JwtProvider | undefined, text: string): Jwt | JwtProblem {
  if (provider === undefined) return parseJwt(text)
  const known = examination.cacheOf(provider).peek(text)
  examination.counted(known !== undefined && provider.cache.counted ? 'jwt_cache_hit' : 'jwt_cache_miss')
  return known ?? parseJwt(text)
}

/** The first provider of the issuer; else the first that takes any. */
function ownerOf(issuer: string, providers: readonly JwtProvider[]): JwtProvider | undefined {
  return (
    providers.find((provider) => provider.issuer !== '' && provider.issuer === issuer) ??
    providers.find((provider) => provider.issuer === '')
  )
}

function wrongClaim(jwt: Jwt, provider: JwtProvider, demand: Demand, now: number): JwtProblem | undefined {
  if (now + provider.clockSkewSeconds < jwt.notBefore) return PROBLEM.notYetValid
  if (jwt.expires > 0 && now > jwt.expires + provider.clockSkewSeconds) return PROBLEM.expired
  const allowsAudience = demand.allowsAudience ?? provider.allowsAudience
  if (!allowsAudience(jwt.audiences)) return PROBLEM.audience
  if (provider.subject !== undefined && !provider.subject.matches(jwt.subject)) return PROBLEM.verification
  const { maxLifetimeSeconds: longest } = provider
  if (longest !== undefined && (jwt.expires === 0 || jwt.expires - now >= longest)) return PROBLEM.verification
  return undefined
}

function accept(examination: Examination, provider: JwtProvider, token: FoundToken, jwt: Jwt): void {
  addClaimHeaders(examination.head, provider, jwt)
  if (!provider.forward) token.remove(examination.head)
  extractData(provider, jwt, examination.extracted)
  if (provider.clearRouteCache) examination.clearRoute = true
}

function noteFailure({ failures }: Examination, provider: JwtProvider | undefined, problem: JwtProblem): void {
  if (provider === undefined || provider.failedStatusInMetadata === '') return
  failures.push([provider.failedStatusInMetadata, { code: problem.code, message: problem.text }])
}
