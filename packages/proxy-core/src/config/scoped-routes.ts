import type { Result } from '@heddle/runtime'
import type { ScopedRouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type {
  ScopedRoutes,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilder,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { asciiLower } from '../matcher/ascii.js'
import { type RouteScope, type ScopedRouting, scopeKey } from '../route/scope.js'
import type { RequestHead } from '../route/table.js'
import type { CompileDeps } from './compiled.js'
import { compileMessage, type Fields } from './fields.js'
import { compileRouteTable } from './route-configuration.js'

type Extract = (head: RequestHead) => string | undefined

/** HttpConnectionManager.scoped_routes: its scopes inline, or by SRDS. */
export function compileScopedRoutes(fields: Fields<ScopedRoutes>, deps: CompileDeps): ScopedRouting {
  const builder = fields.message('scope_key_builder')
  const fragments = builder?.messages('fragments').map(compileFragment) ?? []
  builder?.done()
  if (fragments.length === 0) fields.problem('needs at least one fragment.', 'scope_key_builder')
  const inline = compileList(fields, deps)
  const discovery = fields.message('scoped_rds')
  if (discovery !== undefined && discovery.string('srds_resources_locator') !== '')
    discovery.problem('collections are not supported: leave it out to take all scopes.', 'srds_resources_locator')
  discovery?.done({ scoped_rds_config_source: 'scopes come from where the listener came from' })
  if (inline === undefined && discovery === undefined)
    fields.problem('needs one of scoped_route_configurations_list, scoped_rds.')
  const name = fields.string('name')
  fields.done({ rds_config_source: 'routes come from where the listener came from' })
  return {
    name,
    keyOf(head) {
      const parts = fragments.map((extract) => extract(head))
      return parts.includes(undefined) ? undefined : scopeKey(parts as string[])
    },
    ...(inline && { scopes: inline }),
  }
}

/** A scope of SRDS. */
export function compileScope(json: ScopedRouteConfiguration, deps: CompileDeps, path: string): Result<RouteScope> {
  return compileMessage<ScopedRouteConfiguration, RouteScope>(json, path, (fields) => {
    const scope = compileConfiguration(fields, deps, false)
    const named = fields.string('route_configuration_name')
    fields.done()
    if ((named === '') === (scope.table === undefined))
      fields.problem('needs one of route_configuration_name, route_configuration.')
    const { table, ...rest } = scope
    return { ...rest, routes: table === undefined ? { kind: 'rds', name: named } : { kind: 'inline', table } }
  })
}

function compileList(fields: Fields<ScopedRoutes>, deps: CompileDeps): ScopedRouting['scopes'] {
  const list = fields.message('scoped_route_configurations_list')
  if (list === undefined) return undefined
  const scopes = new Map<string, RouteScope>()
  for (const each of list.messages('scoped_route_configurations')) {
    const { table, ...scope } = compileConfiguration(each, deps, true)
    if (each.string('route_configuration_name') !== '')
      each.problem('is for scopes of SRDS; an inline scope has its routes inline.', 'route_configuration_name')
    else if (table === undefined) each.problem('is required.', 'route_configuration')
    else scopes.set(scope.key, { ...scope, routes: { kind: 'inline', table } })
    each.done()
  }
  list.done()
  return scopes
}

function compileConfiguration(fields: Fields<ScopedRouteConfiguration>, deps: CompileDeps, validatesClusters: boolean) {
  const key = fields.message('key')
  const parts = key?.messages('fragments').map((each) => {
    const part = each.string('string_key')
    each.done()
    return part
  })
  key?.done()
  if (parts === undefined || parts.length === 0) fields.problem('needs at least one fragment.', 'key')
  const inline = fields.message('route_configuration')
  return {
    name: fields.string('name'),
    key: scopeKey(parts ?? []),
    onDemand: fields.boolean('on_demand'),
    table: inline && compileRouteTable(inline, deps, validatesClusters),
  }
}

/** header_value_extractor: a header, or one element of it. */
function compileFragment(fields: Fields<ScopedRoutes_ScopeKeyBuilder_FragmentBuilder>): Extract {
  const header = fields.message('header_value_extractor')
  fields.done()
  const name = asciiLower(header?.string('name') ?? '')
  const separator = header?.string('element_separator') ?? ''
  const index = header?.has('index') === true ? header.number('index') : undefined
  const element = header?.message('element')
  const key = element?.string('key') ?? ''
  const between = element?.string('separator') ?? ''
  element?.done()
  header?.done()
  if (name === '') fields.problem('is required.', 'header_value_extractor')
  else if (index === undefined && element === undefined) header?.problem('needs one of index, element.')
  else if (index !== undefined && index > 0 && separator === '')
    header?.problem('must be 0 without an element_separator.', 'index')
  return ({ headers }) => {
    const value = headers.get(name)
    if (value === undefined) return undefined
    const parts = separator === '' ? [value] : value.split(separator)
    if (index !== undefined) return parts[index]
    return parts.find((part) => part === key || part.startsWith(`${key}${between}`))?.slice(key.length + between.length)
  }
}
