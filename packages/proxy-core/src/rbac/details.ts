import type { RbacVerdict } from './engine.js'

/** Istio's prefix of shadow rules that rehearse nothing: they mark what an ext_authz filter is asked about. */
export const MARKS = 'istio_ext_authz_'

/** What shadow rules leave in dynamic metadata, their prefix before each name. */
export function shadowMetadata(prefix: string, { allowed, policy }: RbacVerdict): Readonly<Record<string, string>> {
  return {
    [`${prefix}shadow_engine_result`]: allowed ? 'allowed' : 'denied',
    ...(policy !== undefined && { [`${prefix}shadow_effective_policy_id`]: policy }),
  }
}

/** What the rules that are enforced leave there, under rules_stat_prefix. */
export function enforcedMetadata(prefix: string, { allowed, policy }: RbacVerdict): Readonly<Record<string, string>> {
  return {
    [`${prefix}enforced_engine_result`]: allowed ? 'allowed' : 'denied',
    ...(policy !== undefined && { [`${prefix}enforced_effective_policy_id`]: policy }),
  }
}

/** Envoy's response code details of a denial; white space in the policy's name becomes `_`. */
export function denialDetails(policy: string | undefined): string {
  return `rbac_access_denied_matched_policy[${(policy ?? 'none').replace(/\s/g, '_')}]`
}
