import type { RBAC } from '@heddle/xds-types/envoy/extensions/filters/network/rbac/v3'
import type { NetworkGuard } from '../../config/compiled.js'
import type { Fields } from '../../config/fields.js'
import { compileRbac, type RbacEngine } from '../../rbac/engine.js'
import type { RbacQuestion } from '../../rbac/question.js'
import type { ConnectionFacts } from '../listener/facts.js'

/** envoy.filters.network.rbac: judges a connection once. Rules about requests match nothing here. */
export function compileNetworkRbac(fields: Fields<RBAC>, name: string): NetworkGuard {
  const rules = fields.message('rules')
  const engine = rules === undefined ? undefined : compileRbac(rules)
  const shadow = fields.message('shadow_rules')
  const shadowEngine = shadow === undefined ? undefined : compileRbac(shadow)
  fields.choice('enforcement_type', ['ONE_TIME_ON_FIRST_BYTE'], 'ONE_TIME_ON_FIRST_BYTE')
  fields.done({ stat_prefix: 'names statistics', shadow_rules_stat_prefix: 'names statistics' })
  return {
    name,
    allow: (facts) => engine?.evaluate(connectionQuestion(facts)).allowed ?? true,
    explain: (facts) =>
      [explain(engine, facts, ''), explain(shadowEngine, facts, 'shadow: ')].filter((line) => line !== '').join('; '),
  }
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
    metadata: NO_METADATA,
  }
}

const NO_METADATA: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map()
