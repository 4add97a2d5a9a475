import { ok, type Result, type Watch } from '@heddle/runtime'
import type { ExtensionConfigSource, TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import { failOpen } from '../http/fail-open.js'
import type { HttpFilter, HttpFilterFactory, HttpStream } from '../http/filter.js'
import type { LocalReply } from '../http/message.js'
import type { CompileDeps } from './compiled.js'
import { compileMessage, type Fields, type TypedConfig } from './fields.js'

/** A filter of one kind with its config, decoded. */
export interface DecodedFilter {
  readonly typeName: string
  readonly factory: HttpFilterFactory<unknown>
  readonly config: unknown
}

/** Filter configs of ECDS by name. */
export interface FilterConfigSource {
  /** Undefined inside: not there, or taken back. */
  watch(name: string): Watch<DecodedFilter | undefined>
}

/** What a listener expects under a name of ECDS. */
export interface ExpectedFilter {
  readonly name: string
  readonly typeNames: readonly string[]
  /** False: apply_default_config_without_warming. */
  readonly waits: boolean
}

/** Envoy's answer where a filter has no config (NoFilterConfigFound). */
const NO_CONFIG: LocalReply = { status: 500, body: '', details: '', flag: 'NFCF' }
const MISSING: HttpFilter = { onRequest: () => NO_CONFIG }

/** A resource of ECDS: the config of an HTTP filter. */
export function compileExtension(json: TypedExtensionConfig, deps: CompileDeps, path: string): Result<DecodedFilter> {
  const compiled = compileMessage<TypedExtensionConfig, DecodedFilter | undefined>(json, path, (fields) => {
    const config = fields.any('typed_config')
    fields.done({ name: 'is how it was asked for' })
    if (config === undefined) fields.problem('is required.', 'typed_config')
    return config && decodeFilter(fields as Fields<never>, config, deps)
  })
  return compiled as Result<DecodedFilter>
}

/** Undefined: it was refused. */
export function decodeFilter(into: Fields<never>, config: TypedConfig, deps: CompileDeps): DecodedFilter | undefined {
  const { typeName, value, path } = config
  const factory = deps.httpFilters.find(({ typeNames }) => typeNames.includes(typeName))
  if (factory === undefined) {
    into.problem(`the HTTP filter ${typeName} is not supported.`, 'typed_config' as never)
    return undefined
  }
  const decoded = factory.decode(value, path, deps)
  into.take(decoded)
  return decoded.ok ? { typeName, factory, config: decoded.value } : undefined
}

/** config_discovery of a filter: the filter whose config is whatever ECDS has sent last. */
export function compileDiscovery(
  fields: Fields<ExtensionConfigSource>,
  name: string,
  deps: CompileDeps,
): { readonly factory: HttpFilterFactory<undefined>; readonly expected: ExpectedFilter } | undefined {
  const typeNames = fields.strings('type_urls').map((url) => url.slice(url.lastIndexOf('/') + 1))
  const config = fields.any('default_config')
  const withoutWarming = fields.boolean('apply_default_config_without_warming')
  fields.done({ config_source: 'configs come from where the listener came from' })
  const known = (typeName: string): boolean => deps.httpFilters.some((factory) => factory.typeNames.includes(typeName))
  if (typeNames.length === 0) fields.problem('must name the types that may come.', 'type_urls')
  for (const typeName of typeNames)
    if (!known(typeName)) fields.problem(`the HTTP filter ${typeName} is not supported.`, 'type_urls')
  if (withoutWarming && config === undefined) fields.problem('needs a default_config.', 'apply_default_config_without_warming')
  if (config !== undefined && !typeNames.includes(config.typeName))
    fields.problem(`has the type ${config.typeName}, which type_urls does not name.`, 'default_config')
  const fallback = config && decodeFilter(fields as Fields<never>, config, deps)
  if (deps.extensions === undefined) {
    fields.problem('there is no discovery of filter configs here.')
    return undefined
  }
  const source = deps.extensions.watch(name)
  const current = (): DecodedFilter | undefined =>
    source.current !== undefined && typeNames.includes(source.current.typeName) ? source.current : fallback
  return { factory: factoryOf(current, name), expected: { name, typeNames, waits: !withoutWarming } }
}

function factoryOf(current: () => DecodedFilter | undefined, name: string): HttpFilterFactory<undefined> {
  return {
    typeNames: [],
    decode: () => ok(undefined),
    create(_, deps) {
      let made: { readonly of: DecodedFilter; readonly create: (stream: HttpStream) => HttpFilter } | undefined
      return (stream) => {
        const filter = current()
        if (filter === undefined) return MISSING
        if (made?.of !== filter) {
          const { factory, config } = filter
          const create = factory.create(config, deps, name)
          const open = factory.failOpen?.(config) === true
          made = { of: filter, create: open ? (stream) => failOpen(create(stream), deps.logger) : create }
        }
        return made.create(stream)
      }
    },
    explain(_, question) {
      const filter = current()
      if (filter === undefined) return { outcome: 'reply', reason: 'ECDS has brought no config for it', reply: NO_CONFIG }
      return filter.factory.explain?.(filter.config, question)
    },
  }
}
