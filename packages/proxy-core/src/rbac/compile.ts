import type { RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { Matcher } from '@heddle/xds-types/xds/type/matcher/v3'
import type { Fields } from '../config/fields.js'
import { compileRbac, type RbacEngine } from './engine.js'
import { compileRbacMatcher } from './matcher.js'

/** A filter's policies, or its tree of matchers where it has one; undefined: it has neither, and lets everything pass. */
export function compileEngine(rules: Fields<RBAC> | undefined, matcher: Fields<Matcher> | undefined): RbacEngine | undefined {
  const engine = rules && compileRbac(rules)
  return matcher === undefined ? engine : compileRbacMatcher(matcher)
}
