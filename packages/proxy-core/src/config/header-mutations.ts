import type { HeaderMutation as HeaderMutationProto } from '@heddle/xds-types/envoy/config/common/mutation_rules/v3'
import type { HeaderMap } from '../http/header-map.js'
import { asciiLower } from '../matcher/ascii.js'
import { compileStringMatcher } from '../matcher/string.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { createHeaderMutation } from '../route/header-mutation.js'
import type { Fields } from './fields.js'
import { compileHeaderOption } from './header-options.js'

export type ApplyMutation = (headers: HeaderMap, entry: AccessLogEntry) => void

/** envoy.config.common.mutation_rules.v3.HeaderMutation: append, remove or remove_on_match. */
export function compileMutation(fields: Fields<HeaderMutationProto>): ApplyMutation {
  const append = fields.message('append')
  const onMatch = fields.message('remove_on_match')
  const matcher = onMatch?.message('key_matcher')
  const mutation =
    append !== undefined
      ? createHeaderMutation([compileHeaderOption(append)], [])
      : createHeaderMutation([], [asciiLower(fields.string('remove'))])
  const keys = matcher && compileStringMatcher(matcher)
  onMatch?.done()
  fields.done()
  return keys === undefined
    ? (headers, entry) => mutation.apply(headers, entry)
    : (headers) => headers.deleteWhere((name) => keys.matches(name))
}
