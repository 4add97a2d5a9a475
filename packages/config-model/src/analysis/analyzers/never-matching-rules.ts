import type {
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from '../../kinds/authorization-policy.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import type { ConfigObject } from '../object.js'
import { createPeerModes, type PeerModes } from '../peer-modes.js'

/** Tells what never matches, at a path inside the policy. */
type Tell = (path: string, why: string) => void

type Policy = ConfigObject<AuthorizationPolicySpec>
type Values = readonly string[] | undefined

/** Rules of AuthorizationPolicies that contradict themselves, or ask for what no request of these workloads has. */
export const neverMatchingRules: Analyzer = {
  name: 'heddle.NeverMatchingRuleAnalyzer',
  summary: 'AuthorizationPolicy rules that no request can match',
  messages: ['NeverMatchingRule'],
  analyze(context, report) {
    const modeOf = createPeerModes(context)
    for (const policy of context.of('AuthorizationPolicy')) {
      const tell: Tell = (path, why) => void report('NeverMatchingRule', policy, path, why)
      const missing = { token: withoutTokens(policy, context), identity: withoutIdentity(policy, context, modeOf) }
      policy.spec.rules?.forEach((rule, r) => void checkRule(rule, `spec.rules[${r}]`, missing, tell))
    }
  },
}

/** Why requests of the selected workloads have no verified token, or no identity of the peer; undefined: they may have one. */
interface Missing {
  readonly token: string | undefined
  readonly identity: string | undefined
}

function checkRule({ from = [], to = [], when = [] }: AuthorizationRule, path: string, missing: Missing, tell: Tell): void {
  from.forEach(({ source }, f) => void checkSource(source, `${path}.from[${f}].source`, missing, tell))
  to.forEach(({ operation }, t) => void checkOperation(operation, `${path}.to[${t}].operation`, tell))
  when.forEach(({ key, values, notValues }, w) => {
    const at = `${path}.when[${w}]`
    checkExcluded(values, notValues, `${at}.values`, 'notValues', tell)
    if (key === 'source.principal') checkPrincipals(values, `${at}.values`, tell)
    if ((values ?? []).length === 0) return
    if (key.startsWith('request.auth.') && missing.token !== undefined) tell(`${at}.key`, missing.token)
    if ((key === 'source.principal' || key === 'source.namespace') && missing.identity !== undefined)
      tell(`${at}.key`, missing.identity)
  })
}

const PAIRS = [
  ['principals', 'notPrincipals'],
  ['requestPrincipals', 'notRequestPrincipals'],
  ['namespaces', 'notNamespaces'],
  ['serviceAccounts', 'notServiceAccounts'],
  ['ipBlocks', 'notIpBlocks'],
  ['remoteIpBlocks', 'notRemoteIpBlocks'],
  ['trustDomains', 'notTrustDomains'],
] as const

const IDENTITIES = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'] as const

function checkSource(source: AuthorizationSource, path: string, missing: Missing, tell: Tell): void {
  for (const [field, not] of PAIRS) checkExcluded(source[field], source[not], `${path}.${field}`, not, tell)
  checkPrincipals(source.principals, `${path}.principals`, tell)
  checkNamespaces(source, path, tell)
  if ((source.requestPrincipals ?? []).length > 0 && missing.token !== undefined) tell(`${path}.requestPrincipals`, missing.token)
  for (const field of IDENTITIES)
    if ((source[field] ?? []).length > 0 && missing.identity !== undefined) tell(`${path}.${field}`, missing.identity)
}

function checkOperation(operation: AuthorizationOperation, path: string, tell: Tell): void {
  checkExcluded(operation.hosts, operation.notHosts, `${path}.hosts`, 'notHosts', tell)
  checkExcluded(operation.ports, operation.notPorts, `${path}.ports`, 'notPorts', tell)
  checkExcluded(operation.methods, operation.notMethods, `${path}.methods`, 'notMethods', tell)
  checkExcluded(operation.paths, operation.notPaths, `${path}.paths`, 'notPaths', tell)
  operation.methods?.forEach((method, m) => {
    if (METHODS.test(method) && method !== method.toUpperCase())
      tell(`${path}.methods[${m}]`, `method ${JSON.stringify(method)} is written ${JSON.stringify(method.toUpperCase())}`)
  })
  operation.paths?.forEach((value, p) => {
    if (!/^[/*{]/.test(value) && value !== '')
      tell(`${path}.paths[${p}]`, `paths begin with "/", and ${JSON.stringify(value)} does not`)
  })
}

const METHODS = /^(?:get|head|post|put|delete|connect|options|trace|patch)$/i

function checkPrincipals(principals: Values, path: string, tell: Tell): void {
  principals?.forEach((principal, p) => {
    if (principal.startsWith('spiffe://'))
      tell(
        `${path}[${p}]`,
        `principals are written without "spiffe://", as ${JSON.stringify(principal.slice('spiffe://'.length))}`,
      )
  })
}

// A principal says its namespace: `cluster.local/ns/shop/sa/cart`.
function checkNamespaces({ principals = [], namespaces = [] }: AuthorizationSource, path: string, tell: Tell): void {
  if (principals.length === 0 || namespaces.length === 0) return
  const written = principals.map((principal) => /^[^*]+\/ns\/([^/*]+)\/sa\//.exec(principal)?.[1])
  if (written.every((namespace) => namespace !== undefined && !namespaces.some((pattern) => takes(pattern, namespace))))
    tell(path, 'the namespaces of its principals are none of its namespaces')
}

// Values of which each is excluded again.
function checkExcluded(values: Values = [], excluded: Values = [], path: string, not: string, tell: Tell): void {
  if (values.length > 0 && values.every((value) => excluded.some((pattern) => takes(pattern, value))))
    tell(path, `${not} excludes ${values.map((value) => JSON.stringify(value)).join(', ')}`)
}

// Whether a pattern takes all that another takes: exact, `prefix*`, `*suffix` or `*`.
function takes(pattern: string, value: string): boolean {
  if (pattern === value || pattern === '*') return true
  if (pattern.endsWith('*')) return !value.startsWith('*') && value.startsWith(pattern.slice(0, -1))
  return pattern.startsWith('*') && !value.endsWith('*') && value.endsWith(pattern.slice(1))
}

function withoutTokens(policy: Policy, context: AnalysisContext): string | undefined {
  const { namespace } = policy.metadata
  const { rootNamespace } = context.meshConfig
  const requests = context
    .of('RequestAuthentication')
    .filter(({ metadata }) => namespace === rootNamespace || [namespace, rootNamespace].includes(metadata.namespace))
  const why = 'no RequestAuthentication of these workloads verifies a token'
  if (requests.length === 0) return why
  // With targets, which of them meet is not for labels to say.
  if (hasTargets(policy.spec) || requests.some(({ spec }) => hasTargets(spec))) return undefined
  const workloads = selected(policy, context)
  const verified = workloads.some(({ labels }) => requests.some(({ spec }) => selects(spec.selector?.matchLabels, labels)))
  return workloads.length === 0 || verified ? undefined : why
}

function withoutIdentity(policy: Policy, context: AnalysisContext, modeOf: PeerModes): string | undefined {
  if (hasTargets(policy.spec)) return undefined
  const modes = selected(policy, context).map((workload) => modeOf(workload))
  const [first] = modes
  if (first === undefined || modes.some(({ mode }) => mode !== 'DISABLE')) return undefined
  return `PeerAuthentication ${first.policy ?? ''} turns mutual TLS off, and without it nobody is known`
}

function hasTargets({ targetRef, targetRefs = [] }: { targetRef?: unknown; targetRefs?: readonly unknown[] }): boolean {
  return targetRef !== undefined || targetRefs.length > 0
}

function selected({ metadata, spec }: Policy, { workloads, meshConfig }: AnalysisContext): ReturnType<typeof workloads.select> {
  const scope = metadata.namespace === meshConfig.rootNamespace ? workloads : workloads.in(metadata.namespace)
  return scope.select(spec.selector?.matchLabels)
}
