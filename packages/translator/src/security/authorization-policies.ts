import type { AuthorizationPolicy, MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { parseBool } from '../pilot-features.js'
import { isAttached } from '../policy-targets.js'
import type { Provenance } from '../provenance.js'

export interface WorkloadPolicies {
  readonly custom: readonly AuthorizationPolicy[]
  readonly audit: readonly AuthorizationPolicy[]
  readonly deny: readonly AuthorizationPolicy[]
  readonly allow: readonly AuthorizationPolicy[]
}

/** The AuthorizationPolicies of a workload: those of its namespace and of the root namespace that select it, and those that name it or the `service` behind a waypoint. */
export function policiesFor(build: Build, service?: MeshService): WorkloadPolicies {
  const own = build.memo.of('authorization policies', [service], () => attached(build, service))
  const of = (action: string): AuthorizationPolicy[] => own.filter((p) => p.spec.action === action)
  return { custom: of('CUSTOM'), audit: of('AUDIT'), deny: of('DENY'), allow: of('ALLOW') }
}

function attached({ snapshot, proxy }: Build, service: MeshService | undefined): readonly AuthorizationPolicy[] {
  const root = snapshot.meshConfig.rootNamespace
  return snapshot.list('AuthorizationPolicy').filter((policy) => isAttached(policy, proxy, root, service))
}

export function isDryRun(policy: AuthorizationPolicy): boolean {
  return parseBool(policy.metadata.annotations['istio.io/dry-run']) === true
}

/** The name under which a rule stands in Envoy's filter, its logs and metrics. */
export function rulePolicyName(policy: AuthorizationPolicy, index: number): string {
  return `ns[${policy.metadata.namespace}]-policy[${policy.metadata.name}]-rule[${index}]`
}

/** What stands before the rules of CUSTOM, so that the filter behind finds its own. */
export function extAuthzPrefix(provider: string): string {
  return provider === '' ? 'istio-ext-authz-' : `istio-ext-authz-${provider}-`
}

/** The rule that a name of {@link rulePolicyName} means; undefined for other text. */
export function policySource(name: string): Provenance | undefined {
  const [, namespace, policy, index] = /(?:^|-)ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name) ?? []
  return namespace === undefined || policy === undefined
    ? undefined
    : { kind: 'AuthorizationPolicy', namespace, name: policy, path: `spec.rules[${index}]` }
}
