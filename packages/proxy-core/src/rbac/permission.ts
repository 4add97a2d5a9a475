import type { Permission, Permission_Set } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { Fields } from '../config/fields.js'
import { compileStringMatcher } from '../matcher/string.js'
import { addressCondition, headerCondition, metadataCondition, pathCondition, shown, templateCondition } from './conditions.js'
import { ANY, all, any, condition, NONE, not, type RbacPredicate } from './predicate.js'

/** What may be done: compiles envoy.config.rbac.v3.Permission. */
export function compilePermission(fields: Fields<Permission>): RbacPredicate {
  const predicate = compileKind(fields)
  fields.done()
  if (predicate === undefined && !fields.has('matcher')) fields.problem('is empty: one rule is required.')
  return predicate ?? NONE
}

function compileKind(fields: Fields<Permission>): RbacPredicate | undefined {
  const and = fields.message('and_rules')
  if (and !== undefined) return all(rulesOf(and))
  const or = fields.message('or_rules')
  if (or !== undefined) return any(rulesOf(or))
  const inner = fields.message('not_rule')
  if (inner !== undefined) return not(compilePermission(inner))
  if (fields.has('any')) return fields.boolean('any') ? ANY : NONE
  const header = fields.message('header')
  if (header !== undefined) return headerCondition(header)
  const path = fields.message('url_path')
  if (path !== undefined) return pathCondition(path)
  const template = fields.message('uri_template')
  if (template !== undefined) return templateCondition(template)
  const metadata = fields.message('metadata')
  if (metadata !== undefined) return metadataCondition(metadata)
  return compileConnectionRule(fields)
}

function compileConnectionRule(fields: Fields<Permission>): RbacPredicate | undefined {
  const address = fields.message('destination_ip')
  if (address !== undefined) return addressCondition('destination address', address, ({ destination }) => destination.address)
  const range = fields.message('destination_port_range')
  if (range !== undefined) {
    const [start, end] = [range.number('start'), range.number('end')]
    range.done()
    if (start >= end) range.problem(`${start} is not before ${end}.`, 'start')
    return portCondition(`from ${start} to before ${end}`, (port) => port >= start && port < end)
  }
  if (fields.has('destination_port')) {
    const wanted = fields.number('destination_port')
    return portCondition(String(wanted), (port) => port === wanted)
  }
  const server = fields.message('requested_server_name')
  if (server === undefined) return undefined
  const matcher = compileStringMatcher(server)
  return condition(
    'server name',
    matcher.text,
    ({ serverName }) => matcher.matches(serverName),
    ({ serverName }) => shown([serverName]),
  )
}

function portCondition(wanted: string, matches: (port: number) => boolean): RbacPredicate {
  return condition(
    'destination port',
    wanted,
    ({ destination }) => matches(destination.port),
    ({ destination }) => String(destination.port),
  )
}

function rulesOf(fields: Fields<Permission_Set>): readonly RbacPredicate[] {
  const rules = fields.messages('rules').map(compilePermission)
  fields.done()
  return rules
}
