import type {
  ScopedRoutes,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilder,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { asciiLower } from '../matcher/ascii.js'
import type { RequestHead, RouteTable } from '../route/table.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'
import { compileRouteTable } from './route-configuration.js'

type Extract = (head: RequestHead) => string | undefined

/** HttpConnectionManager.scoped_routes with its list inline: the table whose key the request's headers make. */
export function compileScopedRoutes(
  fields: Fields<ScopedRoutes>,
  deps: CompileDeps,
): { tableOf(head: RequestHead): RouteTable | undefined; readonly tables: readonly RouteTable[] } {
  const builder = fields.message('scope_key_builder')
  const fragments = builder?.messages('fragments').map(compileFragment) ?? []
  builder?.done()
  const list = fields.message('scoped_route_configurations_list')
  if (list === undefined) fields.problem('only scoped_route_configurations_list is supported.', 'scoped_rds')
  const tables = new Map<string, RouteTable>()
  for (const scope of list?.messages('scoped_route_configurations') ?? []) {
    const key = scope.message('key')
    const parts = key?.messages('fragments').map((each) => {
      const part = each.string('string_key')
      each.done()
      return part
    })
    key?.done()
    const inline = scope.message('route_configuration')
    const table = inline && compileRouteTable(inline, deps)
    scope.done({ name: 'names it for people', on_demand: 'an inline scope is always there' })
    if (table === undefined) scope.problem('is required: scopes by name are not supported.', 'route_configuration')
    else tables.set(keyOf(parts ?? []), table)
  }
  list?.done()
  fields.done({ name: 'names it for people', rds_config_source: 'the list is inline' })
  return {
    tables: [...tables.values()],
    tableOf(head) {
      const parts = fragments.map((extract) => extract(head))
      return parts.includes(undefined) ? undefined : tables.get(keyOf(parts as string[]))
    },
  }
}

const keyOf = (parts: readonly string[]): string => parts.map((part) => JSON.stringify(part)).join()

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
  return ({ headers }) => {
    const value = headers.get(name)
    if (value === undefined) return undefined
    const parts = separator === '' ? [value] : value.split(separator)
    if (index !== undefined) return parts[index]
    if (element === undefined) return value
    return parts.find((part) => part === key || part.startsWith(`${key}${between}`))?.slice(key.length + between.length)
  }
}
