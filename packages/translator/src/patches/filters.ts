import type { EnvoyFilterContext } from '@heddle/config-model'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { added, touched } from './apply.js'
import { editList } from './edit-list.js'
import type { Patch } from './envoy-filters.js'
import { filterNames } from './listener-match.js'
import { mergeAny } from './merge-message.js'
import { patchedRoutes } from './routes.js'

const MANAGER = 'envoy.filters.network.http_connection_manager'

type Named = { readonly name?: string | undefined; readonly typed_config?: unknown }
type Manager = { readonly http_filters?: readonly HttpFilter[]; readonly route_config?: object }

/** The filters of a chain after its NETWORK_FILTER and HTTP_FILTER patches: first those that change the list, then those that merge. */
export function patchedFilters(
  build: Build,
  context: EnvoyFilterContext,
  given: readonly Filter[],
  network: readonly Patch[],
  http: readonly Patch[],
): readonly Filter[] {
  let filters = given
  for (const patch of network) {
    const { network: name } = filterNames(patch)
    filters = editList(filters, { ...patch, value: added(build, patch) }, name !== undefined, (f) => f.name === name)
  }
  const next = filters.map((filter) => {
    let out = filter
    for (const patch of network) if (means(filterNames(patch).network, out)) out = mergedFilter(build, out, patch, true)
    return out.name === MANAGER ? withManager(build, context, out, http) : out
  })
  return next.every((filter, i) => filter === given[i]) && next.length === given.length ? given : next
}

const means = (wanted: string | undefined, { name }: Named): boolean => wanted === undefined || wanted === name

function withManager(build: Build, context: EnvoyFilterContext, filter: Filter, patches: readonly Patch[]): Filter {
  const manager = filter.typed_config as Manager | undefined
  if (manager === undefined) return filter
  const before = manager.http_filters ?? []
  let list = before
  const here = patches.filter((patch) => means(filterNames(patch).network, filter))
  for (const patch of here) {
    const { http: name } = filterNames(patch)
    list = editList(list, { ...patch, value: added(build, patch) }, name !== undefined, (f) => f.name === name)
  }
  const after = list.map((one) => {
    let out = one
    for (const patch of here) if (means(filterNames(patch).http, out)) out = mergedFilter(build, out, patch, true)
    return out
  })
  const [routes] = manager.route_config === undefined ? [] : patchedRoutes(build, context, [manager.route_config])
  if (routes === manager.route_config && after.length === before.length && after.every((f, i) => f === before[i])) return filter
  const config = { ...manager, http_filters: after, ...(routes === undefined ? {} : { route_config: routes }) }
  return build.origins.copy(filter, { ...filter, typed_config: build.origins.copy(manager, config) as never })
}

/** MERGE of a filter: its name, and its configuration where that is of the same type. */
export function mergedFilter<F extends Named>(build: Build, filter: F, patch: Patch, renames: boolean): F {
  const own = patch.value as Named
  if (patch.operation !== 'MERGE' || filter.typed_config === undefined) return filter
  const copied = (from: object, to: object): void => void build.origins.copy(from, to)
  const config =
    own.typed_config === undefined ? undefined : mergeAny(filter.typed_config as never, own.typed_config as never, copied)
  const name = renames && own.name !== undefined && own.name !== '' ? own.name : filter.name
  return touched(build, filter, { ...filter, name, ...(config === undefined ? {} : { typed_config: config }) }, patch)
}
