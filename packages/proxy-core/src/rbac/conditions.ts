import type { CidrRange, TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { HeaderMatcher } from '@heddle/xds-types/envoy/config/route/v3'
import type { MetadataMatcher, PathMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Expr } from '@heddle/xds-types/google/api/expr/v1alpha1'
import type { Fields } from '../config/fields.js'
import { compilePathTemplate } from '../config/route-match.js'
import { compileCelExpr } from '../matcher/cel-expr.js'
import { compileCidr } from '../matcher/cidr.js'
import { compileHeaderMatcher, headerValues } from '../matcher/header.js'
import { parseIp } from '../matcher/ip.js'
import { compileStringMatcher } from '../matcher/string.js'
import { compileMetadataMatcher } from '../matcher/value.js'
import { pathOnly } from '../route/match.js'
import { rbacAttributes } from './attributes.js'
import { condition, NONE, needsOf, type RbacPredicate } from './predicate.js'
import type { RbacQuestion } from './question.js'

/** Conditions that permissions and principals have in common. */

/** Each value of a header is asked on its own (CVE-2020-25017); without a request there are no headers. */
export function headerCondition(fields: Fields<HeaderMatcher>): RbacPredicate {
  const matcher = compileHeaderMatcher(fields)
  return condition(
    `header ${matcher.name}`,
    matcher.text,
    ({ head }) => head !== undefined && matcher.matches(head),
    ({ head }) => shown(head === undefined ? [] : headerValues(head, matcher.name)),
  )
}

/** On the path alone, without query and fragment (CVE-2020-8595, CVE-2021-39156). */
export function pathCondition(fields: Fields<PathMatcher>): RbacPredicate {
  const path = fields.message('path')
  fields.done()
  if (path === undefined) {
    fields.problem('is required.', 'path')
    return NONE
  }
  const matcher = compileStringMatcher(path)
  return condition(
    'path',
    matcher.text,
    ({ head }) => head !== undefined && matcher.matches(pathOnly(head.path)),
    ({ head }) => shown(head === undefined ? [] : [pathOnly(head.path)]),
    needsOf('path', matcher),
  )
}

export function templateCondition(fields: Fields<TypedExtensionConfig>): RbacPredicate {
  const template = compilePathTemplate(fields)
  if (template === undefined) return NONE
  return condition(
    'path',
    `template ${JSON.stringify(template.text)}`,
    ({ head }) => head !== undefined && template.regex.matchesAll(pathOnly(head.path)),
    ({ head }) => shown(head === undefined ? [] : [pathOnly(head.path)]),
  )
}

export function addressCondition(
  name: string,
  fields: Fields<CidrRange>,
  address: (question: RbacQuestion) => string,
): RbacPredicate {
  const cidr = compileCidr(fields)
  if (cidr === undefined) return NONE
  const matches = (question: RbacQuestion): boolean => {
    const ip = parseIp(address(question))
    return ip !== undefined && cidr.contains(ip)
  }
  return condition(name, `in ${cidr.text}`, matches, (question) => shown([address(question)]))
}

export function metadataCondition(fields: Fields<MetadataMatcher>): RbacPredicate {
  const test = compileMetadataMatcher(fields)
  return condition(
    test.name,
    test.text,
    ({ metadata }) => test.matches(metadata),
    () => 'another value',
  )
}

/** In CEL; what cannot be evaluated, such as an attribute that is not there, is false. */
export function celCondition(fields: Fields<Expr>): RbacPredicate {
  const compiled = compileCelExpr(fields)
  if (compiled === undefined) return NONE
  return condition(
    'condition',
    compiled.text,
    (question) => compiled.matches(rbacAttributes(question)),
    () => 'not true',
  )
}

export function shown(values: readonly string[]): string {
  if (values.length === 0) return 'absent'
  return values.map((value) => JSON.stringify(value.length > 120 ? `${value.slice(0, 120)}…` : value)).join(', ')
}
