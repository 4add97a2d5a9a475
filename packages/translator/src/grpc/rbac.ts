import type { AuthorizationPolicy } from '@heddle/config-model'
import type { Policy } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import { sourceOf } from '../provenance.js'
import { isDryRun, policiesFor } from '../security/authorization-policies.js'
import { HTTP_RBAC, NOTHING } from '../security/rbac.js'
import { rulePolicy } from '../security/rbac-rules.js'

/**
 * AuthorizationPolicies for a gRPC server: DENY and ALLOW, which is all that its libraries know (gRFC A41). CUSTOM and AUDIT have no effect there.
 * An ALLOW policy without rules lets nobody in, as in a sidecar; istiod leaves it out here and lets everybody in.
 */
export function grpcRbacFilters(build: Build): HttpFilter[] {
  const { deny, allow } = policiesFor(build)
  return [...filter(build, deny, 'DENY'), ...filter(build, allow, 'ALLOW')]
}

function filter(build: Build, list: readonly AuthorizationPolicy[], action: 'DENY' | 'ALLOW'): HttpFilter[] {
  const policies: Record<string, Policy> = {}
  for (const policy of list.filter((p) => !isDryRun(p))) {
    const { metadata, spec } = policy
    const { rules = [] } = spec
    if (rules.length === 0) policies[`${metadata.namespace}-${metadata.name}-0`] = NOTHING
    for (const [i, rule] of rules.entries()) {
      const made = rulePolicy(rule, {
        effect: action === 'ALLOW' ? 'allow' : 'deny',
        trustDomains: [build.mesh.trustDomain, ...build.mesh.trustDomainAliases],
        tcp: false,
        tunnelled: false,
        namespace: metadata.namespace,
      })
      if (made !== undefined)
        policies[`${metadata.namespace}-${metadata.name}-${i}`] = build.origins.mark(made, sourceOf(policy, `spec.rules[${i}]`))
    }
  }
  // An ALLOW whose rules all fell away must still refuse; no policy at all must not.
  if (Object.keys(policies).length === 0 && (action === 'DENY' || list.every(isDryRun))) return []
  const rules = { ...(action === 'ALLOW' ? {} : { action }), ...(Object.keys(policies).length === 0 ? {} : { policies }) }
  return [
    {
      name: action === 'DENY' ? 'envoy.filters.http.rbac.DENY' : 'envoy.filters.http.rbac',
      typed_config: typed(HTTP_RBAC, { rules }),
    },
  ]
}
