import type { JwtRequirement } from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import type { Fields } from '../config/fields.js'
import { authenticate, type Demand, type Examination } from './authenticate.js'
import { sanitizeClaimHeaders } from './claims.js'
import { andThen, type Later } from './later.js'
import { createFinder } from './locations.js'
import { type JwtProblem, PROBLEM } from './problems.js'
import { audienceCheck, type JwtProvider } from './provider.js'

/** A JwtRequirement, compiled. Undefined: it is met. */
export type Requirement = (examination: Examination) => Later<JwtProblem | undefined>

export type Providers = ReadonlyMap<string, JwtProvider>

export function compileRequirement(fields: Fields<JwtRequirement>, providers: Providers): Requirement {
  const requirement = compileKind(fields, providers)
  fields.done()
  return requirement
}

function compileKind(fields: Fields<JwtRequirement>, providers: Providers): Requirement {
  if (fields.has('provider_name')) {
    const provider = providerOf(fields, fields.string('provider_name'), providers)
    return provider === undefined ? always : from([provider], { provider, allowFailed: false, allowMissing: false })
  }
  const withAudiences = fields.message('provider_and_audiences')
  if (withAudiences !== undefined) {
    const provider = providerOf(fields, withAudiences.string('provider_name'), providers)
    const audiences = withAudiences.strings('audiences')
    withAudiences.done()
    if (provider === undefined) return always
    const own = audiences.length === 0 ? {} : { allowsAudience: audienceCheck(audiences) }
    return from([provider], { provider, ...own, allowFailed: false, allowMissing: false })
  }
  const any = fields.message('requires_any')
  if (any !== undefined) {
    const parts = any.messages('requirements')
    any.done()
    return compileAny(parts, providers)
  }
  const all = fields.message('requires_all')
  if (all !== undefined) {
    const parts = all.messages('requirements').map((part) => compileRequirement(part, providers))
    all.done()
    return (examination) => requireAll(examination, parts, 0)
  }
  return compileLenient(fields, [...providers.values()])
}

const always: Requirement = () => undefined

/** allow_missing and allow_missing_or_failed by themselves: the tokens of all providers are looked at. */
function compileLenient(fields: Fields<JwtRequirement>, among: readonly JwtProvider[]): Requirement {
  const failed = fields.message('allow_missing_or_failed')
  const missing = fields.message('allow_missing')
  failed?.done()
  missing?.done()
  if (failed === undefined && missing === undefined) return always
  return from(among, { allowFailed: failed !== undefined, allowMissing: true })
}

/** One of several requirements, and the provider that it names itself. */
interface Part {
  readonly requirement: Requirement
  readonly provider: string
}

/** Beside others a lenient part looks at no token: it forgives what the others say. By itself it looks at all. Of two, allow_missing_or_failed stands. */
function compileAny(parts: readonly Fields<JwtRequirement>[], providers: Providers): Requirement {
  const strict: Part[] = []
  let [missing, failed] = [false, false]
  for (const part of parts) {
    if (part.has('allow_missing_or_failed')) failed = true
    else if (part.has('allow_missing')) missing = true
    else {
      const requirement = compileRequirement(part, providers)
      const withAudiences = part.message('provider_and_audiences')
      strict.push({ requirement, provider: part.string('provider_name') || (withAudiences?.string('provider_name') ?? '') })
      continue
    }
    compileRequirement(part, NO_PROVIDERS)
  }
  if (strict.length === 0) return from([...providers.values()], { allowFailed: failed, allowMissing: true })
  return (examination) =>
    andThen(requireAny(examination, strict, 0), (told) => {
      if (told === undefined || (!missing && !failed)) return told?.problem
      if (told.problem === PROBLEM.missing) return undefined
      if (!failed) return told.problem
      examination.forgiven.push(told)
      return undefined
    })
}

const NO_PROVIDERS: Providers = new Map()

/** Why none of them is met, and by whose word. */
type Told = Examination['forgiven'][number]

/** Of several problems the last that is about a token counts; that none was found, or none of this issuer, says least. */
function requireAny(examination: Examination, parts: readonly Part[], index: number, before?: Told): Later<Told | undefined> {
  const part = parts[index]
  if (part === undefined) return before
  return andThen(part.requirement(examination), (problem) => {
    if (problem === undefined) return undefined
    const told = before === undefined || weight(problem) >= weight(before.problem) ? { problem, provider: part.provider } : before
    return requireAny(examination, parts, index + 1, told)
  })
}

/** That none was found says least, that it is none of this issuer little more. */
function weight(problem: JwtProblem): number {
  return problem === PROBLEM.missing ? 0 : problem === PROBLEM.unknownIssuer ? 1 : 2
}

function requireAll(examination: Examination, parts: readonly Requirement[], index: number): Later<JwtProblem | undefined> {
  const part = parts[index]
  if (part === undefined) return undefined
  return andThen(part(examination), (problem) => problem ?? requireAll(examination, parts, index + 1))
}

function from(among: readonly JwtProvider[], demand: Demand): Requirement {
  const find = createFinder(among.map(({ locations }) => locations))
  return (examination) => {
    // Once more: what a requirement before it has set goes again, as in Envoy.
    for (const provider of among) sanitizeClaimHeaders(examination.head, provider)
    return authenticate(examination, demand, find(examination.head))
  }
}

function providerOf(fields: Fields<JwtRequirement>, name: string, providers: Providers): JwtProvider | undefined {
  const provider = providers.get(name)
  if (provider === undefined) fields.problem(`there is no provider ${JSON.stringify(name)}.`)
  return provider
}
