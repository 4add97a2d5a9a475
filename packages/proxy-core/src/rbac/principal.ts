import type { Principal, Principal_Authenticated, Principal_Set } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { Fields } from '../config/fields.js'
import { compileStringMatcher } from '../matcher/string.js'
import { addressCondition, headerCondition, metadataCondition, pathCondition, shown } from './conditions.js'
import { ANY, all, any, condition, NONE, needsOf, not, type RbacPredicate } from './predicate.js'

/** Who may do it: compiles envoy.config.rbac.v3.Principal. */
export function compilePrincipal(fields: Fields<Principal>): RbacPredicate {
  const predicate = compileKind(fields)
  fields.done()
  if (predicate === undefined && !fields.has('filter_state')) fields.problem('is empty: one identifier is required.')
  return predicate ?? NONE
}

function compileKind(fields: Fields<Principal>): RbacPredicate | undefined {
  const and = fields.message('and_ids')
  if (and !== undefined) return all(idsOf(and))
  const or = fields.message('or_ids')
  if (or !== undefined) return any(idsOf(or))
  const inner = fields.message('not_id')
  if (inner !== undefined) return not(compilePrincipal(inner))
  if (fields.has('any')) return fields.boolean('any') ? ANY : NONE
  const authenticated = fields.message('authenticated')
  if (authenticated !== undefined) return authenticatedCondition(authenticated)
  const header = fields.message('header')
  if (header !== undefined) return headerCondition(header)
  const path = fields.message('url_path')
  if (path !== undefined) return pathCondition(path)
  const metadata = fields.message('metadata')
  if (metadata !== undefined) return metadataCondition(metadata)
  return compileAddress(fields)
}

function compileAddress(fields: Fields<Principal>): RbacPredicate | undefined {
  const direct = fields.message('direct_remote_ip') ?? fields.message('source_ip')
  if (direct !== undefined) return addressCondition('peer address', direct, ({ directSource }) => directSource)
  const remote = fields.message('remote_ip')
  return remote && addressCondition('client address', remote, ({ source }) => source)
}

/** Without a name, anybody with a verified certificate. */
function authenticatedCondition(fields: Fields<Principal_Authenticated>): RbacPredicate {
  const name = fields.message('principal_name')
  fields.done()
  if (name === undefined)
    return condition(
      'peer',
      'an authenticated one',
      ({ authenticated }) => authenticated,
      () => 'not authenticated',
    )
  const matcher = compileStringMatcher(name)
  return condition(
    'principal',
    matcher.text,
    ({ authenticated, principals }) => authenticated && principals.some(matcher.matches),
    ({ principals }) => shown(principals),
    needsOf('principal', matcher),
  )
}

function idsOf(fields: Fields<Principal_Set>): readonly RbacPredicate[] {
  const ids = fields.messages('ids').map(compilePrincipal)
  fields.done()
  return ids
}
