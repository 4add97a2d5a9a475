import type {
  FilterStateRule,
  JwtAuthentication,
  PerRouteConfig,
  RequirementRule,
} from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import type { CompileDeps } from '../../config/compiled.js'
import type { Fields } from '../../config/fields.js'
import { compileRouteMatch } from '../../config/route-match.js'
import { compileProvider, type JwtProvider } from '../../jwt/provider.js'
import { compileRequirement, type Providers, type Requirement } from '../../jwt/requirement.js'
import type { RoutePredicate } from '../../route/match.js'

/** JwtAuthentication, compiled. */
export interface JwtAuthnConfig {
  readonly providers: readonly JwtProvider[]
  /** The first that matches decides; without a requirement it lets everything pass. */
  readonly rules: readonly { readonly predicates: readonly RoutePredicate[]; readonly requirement: Requirement | undefined }[]
  /** By the value of a filter state object, for requests that no rule matches. */
  readonly byFilterState: { readonly name: string; readonly requirements: ReadonlyMap<string, Requirement> } | undefined
  readonly named: ReadonlyMap<string, Requirement>
  readonly bypassCorsPreflight: boolean
  readonly stripFailureResponse: boolean
  readonly statPrefix: string
}

export function compileJwtAuthn(fields: Fields<JwtAuthentication>, deps: CompileDeps | undefined): JwtAuthnConfig {
  const providers: Providers = new Map(
    fields.map('providers').map(([name, provider]) => [name, compileProvider(name, provider, deps ?? {})] as const),
  )
  const named = new Map(
    fields.map('requirement_map').map(([name, requirement]) => [name, compileRequirement(requirement, providers)] as const),
  )
  const state = fields.message('filter_state_rules')
  const config: JwtAuthnConfig = {
    providers: [...providers.values()],
    named,
    rules: fields.messages('rules').map((rule) => compileRule(rule, providers, named)),
    byFilterState: state && compileStateRule(state, providers),
    bypassCorsPreflight: fields.boolean('bypass_cors_preflight'),
    stripFailureResponse: fields.boolean('strip_failure_response'),
    statPrefix: fields.string('stat_prefix'),
  }
  fields.done()
  return config
}

function compileRule(
  fields: Fields<RequirementRule>,
  providers: Providers,
  named: ReadonlyMap<string, Requirement>,
): JwtAuthnConfig['rules'][number] {
  const match = fields.message('match')
  if (match === undefined) fields.problem('is required.', 'match')
  const requires = fields.message('requires')
  const name = fields.string('requirement_name')
  if (name !== '' && !named.has(name)) fields.problem(`there is no ${JSON.stringify(name)} in requirement_map.`)
  const requirement = requires === undefined ? named.get(name) : compileRequirement(requires, providers)
  fields.done()
  return { predicates: match === undefined ? [] : compileRouteMatch(match).predicates, requirement }
}

function compileStateRule(fields: Fields<FilterStateRule>, providers: Providers): NonNullable<JwtAuthnConfig['byFilterState']> {
  const name = fields.string('name')
  const requirements = new Map(
    fields.map('requires').map(([value, requirement]) => [value, compileRequirement(requirement, providers)] as const),
  )
  fields.done()
  return { name, requirements }
}

/** A route's own: none at all, or one of requirement_map. */
export interface JwtAuthnPerRoute {
  /** Undefined: disabled. */
  readonly requirementName: string | undefined
}

export function compileJwtPerRoute(fields: Fields<PerRouteConfig>): JwtAuthnPerRoute {
  const disabled = fields.boolean('disabled')
  const name = fields.string('requirement_name')
  fields.done()
  if (!disabled && name === '') fields.problem('needs one of disabled, requirement_name.')
  return { requirementName: disabled ? undefined : name }
}
