import type { AuthorizationPolicy, AuthorizationRule, MeshService } from '@heddle/config-model'
import { createSideTable, type SideTable } from '@heddle/runtime'
import { writtenOnce } from '@heddle/xds-types'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Policy, RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import { sourceOf } from '../provenance.js'
import { isDryRun, policiesFor, rulePolicyName, type WorkloadPolicies } from './authorization-policies.js'
import { rulePolicy } from './rbac-rules.js'

export const HTTP_RBAC = 'envoy.extensions.filters.http.rbac.v3.RBAC'
export const NETWORK_RBAC = 'envoy.extensions.filters.network.rbac.v3.RBAC'
const SHADOW_PREFIX = 'istio_dry_run_allow_'
const SHADOW_DENY_PREFIX = 'istio_dry_run_deny_'

/** Envoy's way to say that nothing matches: an ALLOW policy without rules lets nobody in, a CUSTOM one asks about nobody. */
export const NOTHING: Policy = { permissions: [{ not_rule: { any: true } }], principals: [{ not_id: { any: true } }] }

/** One filter per action, in the order in which they decide: AUDIT, DENY, ALLOW. Policies of a dry run are its shadow rules. */
export function httpRbacFilters(build: Build, tunnelled: boolean, service?: MeshService): readonly HttpFilter[] {
  return build.memo.of('HTTP RBAC filters', [tunnelled, service], () =>
    configs(build, policiesFor(build, service), { tcp: false, tunnelled }).map((config) =>
      writtenOnce({ name: 'envoy.filters.http.rbac', typed_config: typed(HTTP_RBAC, config) }),
    ),
  )
}

export function tcpRbacFilters(build: Build, tunnelled: boolean, service?: MeshService): readonly Filter[] {
  return build.memo.of('TCP RBAC filters', [tunnelled, service], () =>
    configs(build, policiesFor(build, service), { tcp: true, tunnelled }).map((config) =>
      writtenOnce({ name: 'envoy.filters.network.rbac', typed_config: typed(NETWORK_RBAC, { stat_prefix: 'tcp.', ...config }) }),
    ),
  )
}

/** What the rules are for. */
export interface Connection {
  /** Nothing of HTTP can be checked. */
  readonly tcp: boolean
  /** Out of a tunnel: the client's name is in filter state. */
  readonly tunnelled: boolean
}

interface RbacConfig {
  readonly rules?: RBAC
  readonly shadow_rules?: RBAC
  readonly shadow_rules_stat_prefix: string
}

function configs(build: Build, policies: WorkloadPolicies, connection: Connection): RbacConfig[] {
  const groups = [
    [policies.audit, 'LOG'],
    [policies.deny, 'DENY'],
    [policies.allow, 'ALLOW'],
  ] as const
  return groups.flatMap(([list, action]) => {
    const enforced = list.filter((p) => !isDryRun(p))
    const dry = list.filter(isDryRun)
    if (enforced.length + dry.length === 0) return []
    return [
      {
        ...(enforced.length === 0 ? {} : { rules: rbac(build, enforced, action, connection) }),
        ...(dry.length === 0 ? {} : { shadow_rules: rbac(build, dry, action, connection) }),
        shadow_rules_stat_prefix: dry.length > 0 && action === 'DENY' ? SHADOW_DENY_PREFIX : SHADOW_PREFIX,
      },
    ]
  })
}

/** The rules of policies under their names; `prefix` goes before each name. */
export function rbac(
  build: Build,
  list: readonly AuthorizationPolicy[],
  action: 'LOG' | 'DENY' | 'ALLOW',
  connection: Connection,
  prefix = '',
): RBAC {
  const effect = action === 'ALLOW' ? 'allow' : 'deny'
  const trustDomains = [build.mesh.trustDomain, ...build.mesh.trustDomainAliases]
  const same = `${effect} ${connection.tcp} ${connection.tunnelled} ${trustDomains.join()}`
  const policies: Record<string, Policy> = {}
  for (const policy of list) {
    const { rules = [] } = policy.spec
    if (rules.length === 0 && action !== 'LOG')
      policies[prefix + rulePolicyName(policy, 0)] = build.origins.mark({ ...NOTHING }, sourceOf(policy, 'spec'))
    for (const [i, rule] of rules.entries()) {
      const { namespace } = policy.metadata
      const make = (): Policy | undefined => rulePolicy(rule, { effect, trustDomains, ...connection, namespace })
      const made = build.memo.lasting ? keptPolicy(rule, `${same} ${namespace}`, make) : make()
      if (made === undefined) continue
      policies[prefix + rulePolicyName(policy, i)] = build.origins.mark(made, sourceOf(policy, `spec.rules[${i}]`))
    }
  }
  // ALLOW is the enum's zero: proto JSON leaves it out.
  return { ...(action === 'ALLOW' ? {} : { action }), ...(Object.keys(policies).length === 0 ? {} : { policies }) }
}

/** What a rule gave, for one connection after the other. */
const kept: SideTable<Map<string, Policy | undefined>> = createSideTable()

/** A rule that is asked for again, as others have changed, gives the very same policy, which is written once. */
function keptPolicy(rule: AuthorizationRule, key: string, make: () => Policy | undefined): Policy | undefined {
  let known = kept.of(rule)
  if (known === undefined) kept.set(rule, (known = new Map()))
  if (known.has(key)) return known.get(key)
  const made = make()
  known.set(key, made && writtenOnce(made))
  return made
}
