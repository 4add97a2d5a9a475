import type { CompileDeps } from './compiled.js'
import type { Fields, TypedConfig } from './fields.js'
import { typedConfig } from './fields.js'

/** In a per-filter map: the filter is switched off here (FilterConfig.disabled). */
export const FILTER_DISABLED: unique symbol = Symbol('filter disabled')

interface PerFilter {
  typed_per_filter_config?: { [key: string]: { '@type': string } } | undefined
}

const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig'
const NONE: ReadonlyMap<string, unknown> = new Map()

/** typed_per_filter_config: values decoded by the filter that their type belongs to, under the names they are given. */
export function compilePerFilterConfig(fields: Fields<PerFilter>, deps: CompileDeps): ReadonlyMap<string, unknown> {
  const raw = fields.raw('typed_per_filter_config')
  if (typeof raw !== 'object' || raw === null) return NONE
  const out = new Map<string, unknown>()
  for (const [name, value] of Object.entries(raw)) {
    const path = `${fields.path}.typed_per_filter_config[${JSON.stringify(name)}]`
    const config = typedConfig(value, path)
    if (config === undefined) fields.problem(`${name} must be an object with "@type".`, 'typed_per_filter_config')
    else if (config.typeName === FILTER_CONFIG) compileWrapper(fields, deps, name, config, out)
    else set(fields, deps, name, config, false, out)
  }
  return out
}

function compileWrapper(
  fields: Fields<PerFilter>,
  deps: CompileDeps,
  name: string,
  wrapper: TypedConfig,
  out: Map<string, unknown>,
): void {
  if (wrapper.value['disabled'] === true) {
    out.set(name, FILTER_DISABLED)
    return
  }
  const config = typedConfig(wrapper.value['config'], `${wrapper.path}.config`)
  if (config !== undefined) set(fields, deps, name, config, wrapper.value['is_optional'] === true, out)
  else fields.problem(`${name} says neither disabled nor a config.`, 'typed_per_filter_config')
}

function set(
  fields: Fields<PerFilter>,
  deps: CompileDeps,
  name: string,
  config: TypedConfig,
  optional: boolean,
  out: Map<string, unknown>,
): void {
  const factory = deps.httpFilters.find((each) => (each.perRouteTypeNames ?? each.typeNames).includes(config.typeName))
  if (factory?.decodePerRoute === undefined) {
    if (!optional) fields.problem(`${config.typeName} of ${name} is not supported per route.`, 'typed_per_filter_config')
    return
  }
  const decoded = factory.decodePerRoute(config.value, config.path, deps)
  fields.take(decoded)
  if (decoded.ok) out.set(name, decoded.value)
}
