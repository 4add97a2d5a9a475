import type { Policy, RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { Fields } from '../config/fields.js'
import { celCondition } from './conditions.js'
import { compilePermission } from './permission.js'
import { firstMatch } from './policy-index.js'
import { all, any, nearest, type RbacPredicate } from './predicate.js'
import { compilePrincipal } from './principal.js'
import type { RbacQuestion } from './question.js'

export interface RbacVerdict {
  readonly allowed: boolean
  /** The policy that matched. */
  readonly policy?: string
  /** Of LOG: whether the request is to be logged. */
  readonly logged?: boolean
}

/** Why: for operators only, never for the caller. */
export interface RbacExplanation extends RbacVerdict {
  readonly reason: string
}

/** envoy.config.rbac.v3.RBAC, compiled. */
export interface RbacEngine {
  evaluate(question: RbacQuestion): RbacVerdict
  /** The verdict of {@link evaluate} with the policy that decided, or the one that came nearest and what it missed. */
  explain(question: RbacQuestion): RbacExplanation
}

interface CompiledPolicy {
  readonly name: string
  readonly predicate: RbacPredicate
}

/** Policies are asked in the order of their names, as Envoy's sorted map has them. */
export function compileRbac(fields: Fields<RBAC>): RbacEngine {
  const action = fields.choice('action', ['ALLOW', 'DENY', 'LOG'], 'ALLOW')
  const policies = fields
    .map('policies')
    .map(([name, policy]) => ({ name, predicate: compilePolicy(policy) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  fields.done()
  const find = firstMatch(policies)
  const evaluate = (question: RbacQuestion): RbacVerdict => verdict(action, find(question)?.name)
  return {
    evaluate,
    explain(question) {
      const result = evaluate(question)
      return {
        ...result,
        reason: result.policy !== undefined ? `${action} policy ${result.policy} matched` : missed(action, policies, question),
      }
    },
  }
}

function compilePolicy(fields: Fields<Policy>): RbacPredicate {
  const permissions = fields.messages('permissions').map(compilePermission)
  const principals = fields.messages('principals').map(compilePrincipal)
  const condition = fields.message('condition')
  const last = condition === undefined ? [] : [celCondition(condition)]
  fields.done()
  return all([any(permissions), any(principals), ...last])
}

type Action = 'ALLOW' | 'DENY' | 'LOG'

function verdict(action: Action, policy: string | undefined): RbacVerdict {
  const matched = policy !== undefined
  const allowed = action === 'LOG' || (action === 'ALLOW') === matched
  if (action !== 'LOG') return matched ? { allowed, policy } : { allowed }
  return matched ? { allowed, policy, logged: true } : { allowed, logged: false }
}

function missed(action: string, policies: readonly CompiledPolicy[], question: RbacQuestion): string {
  if (policies.length === 0) return `there is no ${action} policy that could match`
  const predicates = policies.map(({ predicate }) => predicate)
  const best = policies[nearest(predicates, question).at]!
  return `no ${action} policy matched; nearest is ${best.name}: ${best.predicate.miss(question)}`
}
