import type { AuthorizationPolicy } from '@heddle/config-model'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { MetadataMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import { extAuthzPrefix, isDryRun, type WorkloadPolicies } from './authorization-policies.js'
import { type AuthzService, authzService } from './ext-authz-providers.js'
import { type Connection, HTTP_RBAC, NETWORK_RBAC, rbac } from './rbac.js'

/**
 * CUSTOM: per provider a filter that marks the requests its policies select, then one that asks the provider about those that are marked.
 * Where the provider is unknown or cannot be used, what the policies select is refused.
 */
export function httpExtAuthzFilters(build: Build, policies: WorkloadPolicies, tunnelled: boolean): HttpFilter[] {
  const connection = { tcp: false, tunnelled }
  return byProvider(policies.custom).flatMap(([provider, list]) => {
    const service = serviceOf(build, provider, policies)
    if (service === undefined) return [httpRbac({ rules: refusing(marks(build, list, provider, connection)) })]
    const asks = typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      ...service.http,
      filter_enabled_metadata: marked('envoy.filters.http.rbac', provider),
    })
    return [httpRbac(marking(build, list, provider, connection)), { name: 'envoy.filters.http.ext_authz', typed_config: asks }]
  })
}

/** The same for connections. A provider that speaks HTTP has nothing to say about them. */
export function tcpExtAuthzFilters(build: Build, policies: WorkloadPolicies, tunnelled: boolean): Filter[] {
  const connection = { tcp: true, tunnelled }
  return byProvider(policies.custom).flatMap(([provider, list]) => {
    const service = serviceOf(build, provider, policies)
    if (service === undefined) return [tcpRbac({ rules: refusing(marks(build, list, provider, connection)) })]
    if (service.tcp === undefined) return []
    const asks = typed('envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', {
      ...service.tcp,
      filter_enabled_metadata: marked('envoy.filters.network.rbac', provider),
    })
    return [tcpRbac(marking(build, list, provider, connection)), { name: 'envoy.filters.network.ext_authz', typed_config: asks }]
  })
}

/** Undefined: nobody can be asked. Several providers for one workload are refused unless istiod's switch allows them. */
function serviceOf(build: Build, provider: string, { custom }: WorkloadPolicies): AuthzService | undefined {
  const several = custom.some(({ spec }) => (spec.provider?.name ?? '') !== provider)
  return several && !build.features.multipleCustomProviders ? undefined : authzService(build, provider)
}

type Marks = { readonly rules?: RBAC; readonly shadow_rules?: RBAC; readonly shadow_rules_stat_prefix?: string }

function httpRbac(config: Marks): HttpFilter {
  return { name: 'envoy.filters.http.rbac', typed_config: typed(HTTP_RBAC, config) }
}

function tcpRbac(config: Marks): Filter {
  return { name: 'envoy.filters.network.rbac', typed_config: typed(NETWORK_RBAC, { stat_prefix: 'tcp.', ...config }) }
}

function byProvider(policies: readonly AuthorizationPolicy[]): [string, AuthorizationPolicy[]][] {
  const found = new Map<string, AuthorizationPolicy[]>()
  for (const policy of policies) {
    const name = policy.spec.provider?.name ?? ''
    found.set(name, [...(found.get(name) ?? []), policy])
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Rules in the shadow decide nothing, they leave the name of the policy that matched. Those of a dry run stand in the light, as in Istio. */
function marking(build: Build, list: readonly AuthorizationPolicy[], provider: string, connection: Connection): Marks {
  const dry = list.filter(isDryRun)
  return {
    ...(dry.length === 0 ? {} : { rules: rbac(build, dry, 'DENY', connection, extAuthzPrefix(provider)) }),
    shadow_rules: marks(build, list, provider, connection),
    shadow_rules_stat_prefix: 'istio_ext_authz_',
  }
}

function marks(build: Build, list: readonly AuthorizationPolicy[], provider: string, connection: Connection): RBAC {
  const enforced = list.filter((policy) => !isDryRun(policy))
  return rbac(build, enforced, 'DENY', connection, extAuthzPrefix(provider))
}

function refusing({ policies = {}, ...rules }: RBAC): RBAC {
  const renamed = Object.entries(policies).map(([name, policy]) => [`${name}-deny-due-to-bad-CUSTOM-action`, policy])
  return { ...rules, ...(renamed.length === 0 ? {} : { policies: Object.fromEntries(renamed) }) }
}

function marked(filter: string, provider: string): MetadataMatcher {
  return {
    filter,
    path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
    value: { string_match: { prefix: extAuthzPrefix(provider).slice(0, -1) } },
  }
}
