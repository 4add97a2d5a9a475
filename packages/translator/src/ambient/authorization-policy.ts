import type { AuthorizationCondition, AuthorizationPolicy, AuthorizationRule } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import type { Authorization, Match, Rules } from '@heddle/xds-types/istio/security'
import { defined } from '../message.js'
import { isDryRun } from '../security/authorization-policies.js'
import { addressMatches, portMatches, serviceAccountMatches, stringMatches } from './l4-matches.js'

/** A policy as an L4 proxy (ztunnel) takes it, and what of it such a proxy cannot do. */
export interface Converted {
  /** Undefined: the policy is not for L4 proxies. */
  readonly authorization?: Authorization
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Fields of HTTP fail closed: an ALLOW rule with one is left out, a DENY rule goes without it and covers more. A policy with `targetRefs` is for a waypoint.
 * Codes: `ambient.unsupported_action`, `ambient.unsupported_attributes`.
 */
export function l4Authorization(policy: AuthorizationPolicy, rootNamespace: string): Converted {
  const { spec, metadata } = policy
  if (spec.targetRef !== undefined || (spec.targetRefs ?? []).length > 0) return { diagnostics: [] }
  const subject = `AuthorizationPolicy ${metadata.namespace}/${metadata.name}`
  const { action } = spec
  if (action !== 'ALLOW' && action !== 'DENY') {
    const message = `An L4 proxy knows no action ${action}: enrol a waypoint and name it in spec.targetRefs.`
    return { diagnostics: [{ code: 'ambient.unsupported_action', severity: 'warning', message, path: 'spec.action', subject }] }
  }
  const rules = (spec.rules ?? []).map((rule) => ruleOf(rule, metadata.namespace))
  const groups = rules
    .filter(({ http }) => http.length === 0 || action === 'DENY')
    .map(({ rules }) => (rules.length === 0 ? {} : { rules }))
  const diagnostics = rules.flatMap(({ http }, i): Diagnostic[] => {
    if (http.length === 0) return []
    const effect = action === 'DENY' ? 'the rule goes without them and denies more' : 'the rule is left out and allows less'
    const message = `An L4 proxy cannot check ${http.join(', ')}: ${effect}. A waypoint can: enrol one.`
    return [{ code: 'ambient.unsupported_attributes', severity: 'warning', message, path: `spec.rules[${i}]`, subject }]
  })
  const authorization: Authorization = defined({
    name: metadata.name,
    namespace: metadata.namespace === '' ? undefined : metadata.namespace,
    // GLOBAL and ALLOW are the zeros of their enums.
    scope: spec.selector !== undefined ? 'WORKLOAD_SELECTOR' : metadata.namespace === rootNamespace ? undefined : 'NAMESPACE',
    action: action === 'DENY' ? 'DENY' : undefined,
    groups: groups.length === 0 ? undefined : groups,
    dry_run: isDryRun(policy) ? true : undefined,
  })
  return { authorization, diagnostics }
}

interface Rule {
  readonly rules: readonly Rules[]
  /** Fields that ask for what is not there on L4: HTTP. */
  readonly http: readonly string[]
}

function ruleOf({ to = [], from = [], when = [] }: AuthorizationRule, namespace: string): Rule {
  const http = new Set<string>()
  const note = (fields: object, names: readonly string[]): void => {
    for (const name of names)
      if ((((fields as Record<string, unknown>)[name] ?? []) as readonly unknown[]).length > 0) http.add(name)
  }
  const operations = to.map(({ operation }) => {
    note(operation, HTTP_OPERATIONS)
    return matchOf({
      destination_ports: portMatches(operation.ports),
      not_destination_ports: portMatches(operation.notPorts),
    })
  })
  const sources = from.map(({ source }) => {
    note(source, HTTP_SOURCES)
    return matchOf({
      source_ips: addressMatches(source.ipBlocks),
      not_source_ips: addressMatches(source.notIpBlocks),
      namespaces: stringMatches(source.namespaces),
      not_namespaces: stringMatches(source.notNamespaces),
      service_accounts: serviceAccountMatches(source.serviceAccounts, namespace),
      not_service_accounts: serviceAccountMatches(source.notServiceAccounts, namespace),
      principals: stringMatches(source.principals),
      not_principals: stringMatches(source.notPrincipals),
    })
  })
  const conditions = when.map((condition) => {
    const match = conditionOf(condition)
    if (match === undefined) http.add(condition.key)
    return { matches: [match ?? {}] }
  })
  const rules = [operations, sources].filter((matches) => matches.length > 0).map((matches) => ({ matches }))
  return { rules: [...rules, ...conditions], http: [...http].sort() }
}

const HTTP_OPERATIONS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths']
// Whoever sends a connection's first hop is known to an L4 proxy only by address and certificate; trust domains it does not compare.
const HTTP_SOURCES = [
  'remoteIpBlocks',
  'notRemoteIpBlocks',
  'requestPrincipals',
  'notRequestPrincipals',
  'trustDomains',
  'notTrustDomains',
]

/** Undefined: a condition about HTTP. */
function conditionOf({ key, values, notValues }: AuthorizationCondition): Match | undefined {
  switch (key) {
    case 'source.ip':
      return matchOf({ source_ips: addressMatches(values), not_source_ips: addressMatches(notValues) })
    case 'source.namespace':
      return matchOf({ namespaces: stringMatches(values), not_namespaces: stringMatches(notValues) })
    case 'source.principal':
      return matchOf({ principals: stringMatches(values), not_principals: stringMatches(notValues) })
    case 'destination.ip':
      return matchOf({ destination_ips: addressMatches(values), not_destination_ips: addressMatches(notValues) })
    case 'destination.port':
      return matchOf({ destination_ports: portMatches(values), not_destination_ports: portMatches(notValues) })
    default:
      return undefined
  }
}

/** Without the lists that are empty. */
function matchOf(match: Match): Match {
  return Object.fromEntries(Object.entries(match).filter(([, list]) => (list as readonly unknown[]).length > 0))
}
