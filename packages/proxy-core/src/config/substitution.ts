import type { RegexMatchAndSubstitute } from '@heddle/xds-types/envoy/type/matcher/v3'
import { compileRegex } from '../matcher/regex.js'
import type { RegexSubstitution } from '../route/rewrite.js'
import type { Fields } from './fields.js'

export function compileSubstitution(fields: Fields<RegexMatchAndSubstitute> | undefined): RegexSubstitution | undefined {
  if (fields === undefined) return undefined
  const pattern = fields.message('pattern')
  const regex = pattern === undefined ? undefined : fields.take(compileRegex(pattern.string('regex'), `${pattern.path}.regex`))
  pattern?.done({ google_re2: 'RE2 is the only engine' })
  const substitution = fields.string('substitution')
  fields.done()
  if (pattern === undefined) fields.problem('is required.', 'pattern')
  return regex === undefined ? undefined : { regex, substitution }
}
