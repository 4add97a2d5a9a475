import type { HttpService, HttpUri as HttpUriProto, TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { OpenTelemetryConfig, Tracing_Http, ZipkinConfig } from '@heddle/xds-types/envoy/config/trace/v3'
import type { StaticConfigResourceDetectorConfig } from '@heddle/xds-types/envoy/extensions/tracers/opentelemetry/resource_detectors/v3'
import { asciiLower } from '../matcher/ascii.js'
import { environment } from '../observe/log-operators.js'
import type { Collector } from '../observe/otlp.js'
import type { OpenTelemetryProvider } from '../observe/tracing/opentelemetry.js'
import type { ZipkinProvider } from '../observe/tracing/zipkin.js'
import { type Fields, fieldsOf, type TypedConfig } from './fields.js'
import { compileGrpcService, compileHttpUri } from './grpc-service.js'

export type TracingProvider = ZipkinProvider | OpenTelemetryProvider

type CompileProvider = (config: TypedConfig, into: Fields<never>) => TracingProvider | undefined

const PROVIDERS: Readonly<Record<string, CompileProvider>> = {
  'envoy.config.trace.v3.ZipkinConfig': (config, into) => compileZipkin(fieldsOf(config, into)),
  'envoy.config.trace.v3.OpenTelemetryConfig': (config, into) => compileOpenTelemetry(fieldsOf(config, into)),
}

/** envoy.config.trace.v3.Tracing.Http: who gets the spans. */
export function compileTracingProvider(fields: Fields<Tracing_Http>): TracingProvider | undefined {
  const config = fields.any('typed_config')
  const compile = config && PROVIDERS[config.typeName]
  if (config === undefined) fields.problem('is required.', 'typed_config')
  else if (compile === undefined)
    fields.problem(`${config.typeName} is not supported: zipkin and opentelemetry are.`, 'typed_config')
  const provider = config && compile?.(config, fields as unknown as Fields<never>)
  fields.done({ name: 'the type of the configuration tells the provider' })
  return provider
}

function compileZipkin(fields: Fields<ZipkinConfig>): ZipkinProvider | undefined {
  fields.choice('collector_endpoint_version', ['HTTP_JSON'], 'HTTP_JSON')
  const collector = compileCollectorService(fields.message('collector_service'))
  const cluster = collector?.cluster ?? fields.string('collector_cluster')
  const path = collector?.path ?? fields.string('collector_endpoint')
  const hostname = fields.string('collector_hostname', collector?.authority ?? '')
  const provider: ZipkinProvider = {
    kind: 'zipkin',
    ...{ cluster, path, hostname },
    headers: collector?.headers ?? [],
    longTraceIds: fields.boolean('trace_id_128bit'),
    sharedSpans: fields.boolean('shared_span_context', true),
    w3c: fields.choice('trace_context_option', ['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION'], 'USE_B3') !== 'USE_B3',
  }
  if (cluster === '') fields.problem('is missing.', 'collector_cluster')
  if (path === '') fields.problem('is missing.', 'collector_endpoint')
  fields.done({ split_spans_for_request: 'each proxy makes one span for a request' })
  return provider
}

function compileCollectorService(fields: Fields<HttpService> | undefined): Extract<Collector, { kind: 'http' }> | undefined {
  if (fields === undefined) return undefined
  const uri = fields.message('http_uri')
  if (uri === undefined) fields.problem('is required.', 'http_uri')
  const headers = fields.messages('request_headers_to_add').flatMap((option) => {
    const header = option.message('header')
    option.done({ append_action: 'the request has no such header yet', append: 'the request has no such header yet' })
    if (header === undefined) return []
    const pair = [asciiLower(header.string('key')), header.string('value')] as const
    header.done()
    return [pair]
  })
  fields.done()
  const target = uri && compileHttpUri(uri as Fields<HttpUriProto>)
  return target && { kind: 'http', headers, ...target }
}

function compileOpenTelemetry(fields: Fields<OpenTelemetryConfig>): OpenTelemetryProvider | undefined {
  const collector = compileCollector(fields)
  const service = fields.string('service_name')
  const found = fields.messages('resource_detectors').flatMap((detector) => [...detectResource(detector)])
  const alwaysOn = compileSampler(fields.message('sampler'))
  fields.done({ max_cache_size: 'spans that wait are limited to 10,000' })
  // What detectors find goes before the configured name, as in Envoy.
  const resource = new Map([['service.name', service === '' ? 'unknown_service:envoy' : service] as const, ...found])
  return collector && { kind: 'opentelemetry', collector, resource, alwaysOn }
}

/** Of a message with `grpc_service` or `http_service`. */
export function compileCollector(
  fields: Fields<Pick<OpenTelemetryConfig, 'grpc_service' | 'http_service'>>,
): Collector | undefined {
  const grpc = fields.message('grpc_service')
  if (grpc !== undefined) {
    const service = compileGrpcService(grpc)
    return service && { kind: 'grpc', ...service }
  }
  const http = fields.message('http_service')
  if (http === undefined) fields.problem('needs one of grpc_service, http_service.')
  return compileCollectorService(http)
}

const DETECTORS = 'envoy.extensions.tracers.opentelemetry.resource_detectors.v3.'

function detectResource(fields: Fields<TypedExtensionConfig>): ReadonlyMap<string, string> {
  const config = fields.any('typed_config')
  fields.done({ name: 'the type of the configuration tells the detector' })
  if (config?.typeName === `${DETECTORS}EnvironmentResourceDetectorConfig`) return fromEnvironment()
  if (config?.typeName !== `${DETECTORS}StaticConfigResourceDetectorConfig`) {
    fields.problem(`${config?.typeName ?? 'nothing'} is not supported: environment and static_config are.`, 'typed_config')
    return new Map()
  }
  const attributes = fieldsOf<StaticConfigResourceDetectorConfig>(config, fields as unknown as Fields<never>)
  return new Map(Object.entries((attributes.raw('attributes') ?? {}) as Record<string, string>))
}

/** OTEL_RESOURCE_ATTRIBUTES: `key=value,…`, percent-encoded (OpenTelemetry's specification of the Resource SDK). */
function fromEnvironment(): ReadonlyMap<string, string> {
  const pairs = (environment('OTEL_RESOURCE_ATTRIBUTES') ?? '').split(',').map((pair) => pair.split('='))
  return new Map(
    pairs.flatMap(([key = '', value]) => (value === undefined ? [] : [[key.trim(), decoded(value.trim())] as const])),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function compileSampler(fields: Fields<TypedExtensionConfig> | undefined): boolean {
  const config = fields?.any('typed_config')
  fields?.done({ name: 'the type of the configuration tells the sampler' })
  if (config === undefined) return false
  if (!config.typeName.endsWith('.AlwaysOnSamplerConfig'))
    fields?.problem(`${config.typeName} is not supported: always_on is.`, 'typed_config')
  return true
}
