import type { Router } from '@heddle/xds-types/envoy/extensions/filters/http/router/v3'
import type {
  HttpConnectionManager,
  HttpFilter as HttpFilterProto,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { failOpen } from '../http/fail-open.js'
import type { HttpFilter, HttpFilterFactory, HttpStream } from '../http/filter.js'
import type { CompileDeps, CompiledHttpFilter } from './compiled.js'
import { compileDiscovery, decodeFilter, type ExpectedFilter } from './discovered-filter.js'
import { type Fields, fieldsOf, type TypedConfig } from './fields.js'
import { FILTER_DISABLED } from './per-filter-config.js'

const ROUTER = 'envoy.extensions.filters.http.router.v3.Router'
const IDLE: HttpFilter = {}

export interface HttpFilterChain {
  readonly filters: readonly CompiledHttpFilter[]
  /** Those whose config comes by ECDS. */
  readonly discovered: readonly ExpectedFilter[]
  readonly suppressEnvoyHeaders: boolean
}

/** The chain of an HTTP manager; the router must be its last filter. */
export function compileHttpFilters(manager: Fields<HttpConnectionManager>, deps: CompileDeps): HttpFilterChain {
  const list = manager.messages('http_filters')
  if (list.length === 0) manager.problem('must end with envoy.filters.http.router.', 'http_filters')
  const filters: CompiledHttpFilter[] = []
  const parts: FilterChainParts = { statPrefix: manager.string('stat_prefix'), discovered: [] }
  let suppressEnvoyHeaders = false
  for (const [i, fields] of list.entries()) {
    const config = fields.any('typed_config')
    const last = i === list.length - 1
    if (config?.typeName === ROUTER) {
      suppressEnvoyHeaders = compileRouter(fieldsOf<Router>(config, fields as Fields<never>))
      if (!last) fields.problem('the router must be the last filter.')
      if (fields.boolean('disabled')) fields.problem('the router cannot be switched off.', 'disabled')
    } else {
      const filter = compileFilter(fields, config, deps, parts)
      if (filter !== undefined) filters.push(filter)
      if (last) fields.problem('the last filter must be envoy.filters.http.router.')
    }
    fields.done({ name: 'read with the filter', is_optional: 'read with the filter', disabled: 'read with the filter' })
  }
  return { filters, discovered: parts.discovered, suppressEnvoyHeaders }
}

interface FilterChainParts {
  readonly statPrefix: string
  readonly discovered: ExpectedFilter[]
}

function compileFilter(
  fields: Fields<HttpFilterProto>,
  config: TypedConfig | undefined,
  deps: CompileDeps,
  chain: FilterChainParts,
): CompiledHttpFilter | undefined {
  const name = fields.string('name')
  const { statPrefix } = chain
  const withPrefix = <C>(factory: HttpFilterFactory<C>): HttpFilterFactory<C> => ({
    ...factory,
    create: (config, deps, name) => factory.create(config, { ...deps, statPrefix }, name),
  })
  if (config === undefined) {
    const discovery = fields.message('config_discovery')
    if (discovery === undefined) fields.problem('is required.', 'typed_config')
    const found = discovery && compileDiscovery(discovery, name, deps)
    if (found === undefined) return undefined
    chain.discovered.push(found.expected)
    return switchable(name, withPrefix(found.factory), undefined, fields.boolean('disabled'))
  }
  const optional = fields.boolean('is_optional')
  if (optional && !deps.httpFilters.some(({ typeNames }) => typeNames.includes(config.typeName))) return undefined
  const decoded = decodeFilter(fields as Fields<never>, config, deps)
  return decoded && switchable(name, withPrefix(decoded.factory), decoded.config, fields.boolean('disabled'))
}

/** A filter can be off by default and on by route, or the other way round. */
function switchable<C>(name: string, factory: HttpFilterFactory<C>, config: C, disabled: boolean): CompiledHttpFilter {
  const isOff = (perRoute: unknown): boolean => perRoute === FILTER_DISABLED || (disabled && perRoute === undefined)
  return {
    name,
    create(deps) {
      const create = factory.create(config, deps, name)
      const made = factory.failOpen?.(config) === true ? (stream: HttpStream) => failOpen(create(stream), deps.logger) : create
      return (stream) => (isOff(stream.perRouteConfig(name)) ? IDLE : made(stream))
    },
    explain: (question) => (isOff(question.perRoute) ? undefined : factory.explain?.(config, question)),
  }
}

function compileRouter(fields: Fields<Router>): boolean {
  const suppress = fields.boolean('suppress_envoy_headers')
  fields.done({
    dynamic_stats: 'names statistics',
    start_child_span: 'spawn_upstream_span of the manager is its successor',
    suppress_grpc_request_failure_code_stats: 'names statistics',
  })
  return suppress
}
