import type { RouteAction_HashPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import { asciiLower } from '../matcher/ascii.js'
import type { HashPolicy, HashSource } from '../route/hash-policy.js'
import type { Fields } from './fields.js'
import { compileSubstitution } from './substitution.js'

export function compileHashPolicy(fields: Fields<RouteAction_HashPolicy>): HashPolicy | undefined {
  const source = compileSource(fields)
  const terminal = fields.boolean('terminal')
  fields.done()
  if (source === undefined && !fields.has('filter_state'))
    fields.problem('needs one of header, cookie, connection_properties, query_parameter.')
  return source === undefined ? undefined : { source, terminal }
}

function compileSource(fields: Fields<RouteAction_HashPolicy>): HashSource | undefined {
  const header = fields.message('header')
  if (header !== undefined) {
    const name = asciiLower(header.string('header_name'))
    const substitution = compileSubstitution(header.message('regex_rewrite'))
    header.done()
    return {
      kind: 'header',
      name,
      ...(substitution && { rewrite: (value) => substitution.regex.replaceAll(value, substitution.substitution) }),
    }
  }
  const cookie = fields.message('cookie')
  if (cookie !== undefined) {
    const attributes = cookie
      .messages('attributes')
      .map((each) => `; ${each.string('name')}${each.string('value') === '' ? '' : `=${each.string('value')}`}`)
    const source: HashSource = {
      kind: 'cookie',
      name: cookie.string('name'),
      path: cookie.string('path'),
      attributes: attributes.join(''),
      ...(cookie.has('ttl') && { ttlMs: cookie.durationMs('ttl', 0) }),
    }
    cookie.done()
    return source
  }
  const connection = fields.message('connection_properties')
  if (connection !== undefined) {
    const bySource = connection.boolean('source_ip')
    connection.done()
    return bySource ? { kind: 'source_ip' } : undefined
  }
  const query = fields.message('query_parameter')
  if (query === undefined) return undefined
  const name = query.string('name')
  query.done()
  return { kind: 'query_parameter', name }
}
