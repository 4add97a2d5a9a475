import type { StringMatch } from '../kinds/common.js'
import { fields } from './fields.js'
import { into, refuse } from './site.js'
import { type Decode, isRecord, text } from './value.js'

const raw: Decode<{ exact?: string; prefix?: string; regex?: string }> = fields({ exact: text, prefix: text, regex: text })

/** `{exact}`, `{prefix}` or `{regex}`; `{}` is undefined. Bare text is refused with the way to write it. */
export const stringMatch: Decode<StringMatch> = (value, site) => {
  if (typeof value === 'string') {
    refuse(site, 'config.type', `must be {exact: …}, {prefix: …} or {regex: …}: write {exact: ${JSON.stringify(value)}}`)
    return undefined
  }
  const match = raw(value, site)
  if (match === undefined) return undefined
  const { exact, prefix, regex } = match
  if ([exact, prefix, regex].filter((one) => one !== undefined).length > 1) {
    refuse(site, 'config.one_of', 'only one of exact, prefix and regex may be set')
    return undefined
  }
  if (exact !== undefined) return { exact }
  if (prefix !== undefined) return { prefix }
  return regex === undefined ? undefined : { regex }
}

/** Named matches; an empty match (`{}`) is kept as undefined: the name is present with any value. */
export const stringMatches: Decode<Readonly<Record<string, StringMatch | undefined>>> = (value, site) => {
  if (!isRecord(value)) {
    refuse(site, 'config.type', 'must be an object of names and matches')
    return undefined
  }
  const matches: Record<string, StringMatch | undefined> = {}
  for (const key of Object.keys(value)) {
    if (key === '__proto__') continue
    const written = value[key]
    if (written === null) refuse(into(site, key), 'config.type', 'cannot be null: write {} when any value will do')
    else matches[key] = stringMatch(written, into(site, key))
  }
  return matches
}
