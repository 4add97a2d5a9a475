import type { Decorator, Tracing } from '@heddle/xds-types/envoy/config/route/v3'
import type { HttpConnectionManager_Tracing } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { MetadataKey, MetadataKind } from '@heddle/xds-types/envoy/type/metadata/v3'
import type { CustomTag as CustomTagProto } from '@heddle/xds-types/envoy/type/tracing/v3'
import type { Percent } from '@heddle/xds-types/envoy/type/v3'
import { asciiLower } from '../matcher/ascii.js'
import { compileTextFormat, type LogFormatter } from '../observe/log-format.js'
import { environment } from '../observe/log-operators.js'
import { type CustomTag, formatTag, headerTag, literalTag, type MetadataOf, metadataTag } from '../observe/tracing/custom-tags.js'
import type { RouteTracing, TracingConfig } from '../observe/tracing/request-trace.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'
import { compileFraction } from './fraction.js'
import { compileTracingProvider, type TracingProvider } from './tracing-provider.js'

const PATH_LENGTH = 256

/** HttpConnectionManager.Tracing, and whom it names for the spans; without a provider, the bootstrap's. */
export interface CompiledTracing extends TracingConfig {
  readonly provider?: TracingProvider
}

export function compileTracing(
  fields: Fields<HttpConnectionManager_Tracing> | undefined,
  { hasCluster }: Pick<CompileDeps, 'hasCluster'>,
): CompiledTracing | undefined {
  if (fields === undefined) return undefined
  const provider = fields.message('provider')
  const compiledProvider = provider && compileTracingProvider(provider)
  // Envoy asks this of Zipkin's alone.
  if (compiledProvider?.kind === 'zipkin' && hasCluster?.(compiledProvider.cluster) === false)
    provider?.problem(`names a cluster that is not there: ${JSON.stringify(compiledProvider.cluster)}.`)
  const operation = compileOperation(fields, 'operation')
  const upstreamOperation = compileOperation(fields, 'upstream_operation')
  const upstream = fields.boolean('spawn_upstream_span')
    ? { ...(upstreamOperation && { operation: upstreamOperation }) }
    : undefined
  const tracing: CompiledTracing = {
    sampling: {
      client: percent(fields.message('client_sampling')),
      random: percent(fields.message('random_sampling')),
      overall: percent(fields.message('overall_sampling')),
    },
    customTags: compileCustomTags(fields),
    maxPathTagLength: fields.number('max_path_tag_length', PATH_LENGTH),
    ...(operation && { operation }),
    ...(upstream && { upstream }),
    propagates: !fields.boolean('no_context_propagation'),
    ...(compiledProvider && { provider: compiledProvider }),
  }
  fields.done({ verbose: 'spans carry no log of their own' })
  return tracing
}

function percent(fields: Fields<Percent> | undefined): number {
  const value = fields?.number('value') ?? 100
  fields?.done()
  return value / 100
}

function compileOperation(
  fields: Fields<HttpConnectionManager_Tracing>,
  name: 'operation' | 'upstream_operation',
): LogFormatter | undefined {
  const format = fields.string(name)
  if (format === '') return undefined
  return fields.take(compileTextFormat(format, `${fields.path}.${name}`, { omitEmptyValues: true }))
}

/** Route.tracing and Route.decorator; undefined: the route says nothing of either. */
export function compileRouteTracing(
  tracing: Fields<Tracing> | undefined,
  decorator: Fields<Decorator> | undefined,
): RouteTracing | undefined {
  if (tracing === undefined && decorator === undefined) return undefined
  const sampling = tracing && {
    client: compileFraction(tracing.message('client_sampling'), 1),
    random: compileFraction(tracing.message('random_sampling'), 1),
    overall: compileFraction(tracing.message('overall_sampling'), 1),
  }
  const customTags = tracing === undefined ? [] : compileCustomTags(tracing)
  const operation = decorator?.string('operation') ?? ''
  const propagate = decorator?.boolean('propagate', true) ?? true
  tracing?.done({ upstream_operation: 'there is no span of the upstream call alone' })
  decorator?.done()
  return { ...(sampling && { sampling }), customTags, ...(operation !== '' && { decorator: { operation, propagate } }) }
}

/** `custom_tags` of whatever has some. */
export function compileCustomTags(fields: Fields<{ custom_tags?: readonly CustomTagProto[] | undefined }>): readonly CustomTag[] {
  return fields.messages('custom_tags').flatMap((tag) => compileCustomTag(tag) ?? [])
}

function compileCustomTag(fields: Fields<CustomTagProto>): CustomTag | undefined {
  const tag = fields.string('tag')
  const compiled = compileTagValue(tag, fields)
  if (tag === '') fields.problem('is missing.', 'tag')
  fields.done()
  return compiled
}

function compileTagValue(tag: string, fields: Fields<CustomTagProto>): CustomTag | undefined {
  const literal = fields.message('literal')
  if (literal !== undefined) {
    const value = literal.string('value')
    literal.done()
    return literalTag(tag, value)
  }
  const variable = fields.message('environment')
  if (variable !== undefined) {
    // It does not change while the process lives.
    const value = environment(variable.string('name')) ?? variable.string('default_value')
    variable.done()
    return value === '' ? undefined : literalTag(tag, value)
  }
  const header = fields.message('request_header')
  if (header !== undefined) {
    const compiled = headerTag(tag, asciiLower(header.string('name')), header.string('default_value'))
    header.done()
    return compiled
  }
  const metadata = fields.message('metadata')
  if (metadata === undefined) {
    const format = fields.take(compileTextFormat(fields.string('value'), `${fields.path}.value`, { omitEmptyValues: true }))
    return format && formatTag(tag, format)
  }
  const path = compileMetadataKey(metadata.message('metadata_key'))
  const compiled = metadataTag(tag, compileMetadataKind(metadata.message('kind')), path, metadata.string('default_value'))
  metadata.done()
  return compiled
}

function compileMetadataKind(fields: Fields<MetadataKind> | undefined): MetadataOf {
  const kinds = ['request', 'route', 'cluster', 'host'] as const
  const kind = kinds.find((name) => fields?.has(name))
  for (const name of kinds) fields?.message(name)
  fields?.done()
  return kind ?? 'request'
}

function compileMetadataKey(fields: Fields<MetadataKey> | undefined): readonly string[] {
  const segments = fields?.messages('path') ?? []
  const path = [fields?.string('key') ?? '', ...segments.map((segment) => segment.string('key'))]
  for (const segment of segments) segment.done()
  fields?.done()
  return path
}
