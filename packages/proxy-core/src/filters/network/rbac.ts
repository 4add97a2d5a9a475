import type { RBAC as Rules } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { RBAC } from '@heddle/xds-types/envoy/extensions/filters/network/rbac/v3'
import type { NetworkGuard } from '../../config/compiled.js'
import type { Fields } from '../../config/fields.js'
import type { DynamicMetadata } from '../../matcher/value.js'
import { prefixedCounter } from '../../observe/filter-stats.js'
import { NETWORK_RBAC_LABEL } from '../../observe/labels.js'
import { compileEngine } from '../../rbac/compile.js'
import { denialDetails, MARKS, shadowMetadata } from '../../rbac/details.js'
import type { RbacEngine } from '../../rbac/engine.js'
import type { RbacQuestion } from '../../rbac/question.js'
import type { ConnectionFacts } from '../listener/facts.js'

const NAMESPACE = 'envoy.filters.network.rbac'

/** envoy.filters.network.rbac: judges a connection once. Rules about requests, of which there are none yet, are refused. */
export function compileNetworkRbac(fields: Fields<RBAC>, name: string): NetworkGuard {
  for (const rules of ['rules', 'shadow_rules'] as const) {
    const { policies } = (fields.raw(rules) ?? {}) as Rules
    const found = requestRule(Object.values(policies ?? {}).flatMap((policy) => [policy?.permissions, policy?.principals]))
    if (found !== undefined) fields.problem(`${found} is of requests: a connection has none.`, rules)
  }
  const engine = compileEngine(fields.message('rules'), fields.message('matcher'))
  const shadowEngine = compileEngine(fields.message('shadow_rules'), fields.message('shadow_matcher'))
  const statPrefix = fields.string('stat_prefix')
  fields.choice('enforcement_type', ['ONE_TIME_ON_FIRST_BYTE'], 'ONE_TIME_ON_FIRST_BYTE')
  const shadowPrefix = fields.string('shadow_rules_stat_prefix')
  const marks = shadowPrefix.startsWith(MARKS)
  fields.done()
  return {
    name,
    allow: (facts) => engine?.evaluate(connectionQuestion(facts)).allowed ?? true,
    terminationDetails: (facts) => denialDetails(engine?.evaluate(connectionQuestion(facts)).policy),
    rehearse(facts) {
      const verdict = marks ? undefined : shadowEngine?.explain(connectionQuestion(facts))
      return verdict?.allowed === false ? verdict.reason : undefined
    },
    ...(shadowEngine && {
      metadata: (facts: ConnectionFacts) =>
        [NAMESPACE, shadowMetadata(shadowPrefix, shadowEngine.evaluate(connectionQuestion(facts)))] as const,
    }),
    count(facts, registry) {
      const counter = prefixedCounter(registry, NETWORK_RBAC_LABEL, statPrefix.replace(/\.$/, ''), 'rbac')
      const question = connectionQuestion(facts)
      if (engine !== undefined) counter(engine.evaluate(question).allowed ? 'allowed' : 'denied').inc()
      if (shadowEngine !== undefined) counter(shadowEngine.evaluate(question).allowed ? 'shadow_allowed' : 'shadow_denied').inc()
    },
    explain: (facts) =>
      [explain(engine, facts, ''), explain(shadowEngine, facts, 'shadow: ')].filter((line) => line !== '').join('; '),
  }
}

const OF_REQUESTS = ['header', 'url_path', 'uri_template']

function requestRule(rule: unknown): string | undefined {
  if (typeof rule !== 'object' || rule === null) return undefined
  for (const [name, value] of Object.entries(rule)) {
    if (OF_REQUESTS.includes(name)) return name
    const within = name === 'typed_config' ? undefined : requestRule(value)
    if (within !== undefined) return within
  }
  return undefined
}

function explain(engine: RbacEngine | undefined, facts: ConnectionFacts, prefix: string): string {
  return engine === undefined ? '' : `${prefix}${engine.explain(connectionQuestion(facts)).reason}`
}

export function connectionQuestion(facts: ConnectionFacts): RbacQuestion {
  const principals = facts.peerUris ?? []
  return {
    directSource: facts.directSource.address,
    source: facts.source.address,
    destination: facts.destination,
    serverName: facts.serverName ?? '',
    authenticated: principals.length > 0,
    principals,
    metadata: facts.metadata ?? NO_METADATA,
  }
}

const NO_METADATA: DynamicMetadata = new Map()
