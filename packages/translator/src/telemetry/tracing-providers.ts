import type {
  DynatraceSampler,
  ExtensionProvider,
  OpenTelemetryProvider,
  ProviderHttpHeader,
  ServiceProvider,
  ZipkinProvider,
} from '@heddle/config-model'
import type { GrpcService, HeaderValue, HttpService } from '@heddle/xds-types/envoy/config/core/v3'
import type { Build } from '../build.js'
import { defined, duration, type TypedMessage, typed } from '../message.js'
import { versionAtLeast } from '../proxy.js'
import { lookupService } from '../service-lookup.js'

/** Who takes spans, for a connection manager. */
export interface Tracer {
  readonly name: string
  readonly typed_config: TypedMessage
  /** 0: Envoy's default. */
  readonly maxTagLength: number
  /** It decides itself which spans it keeps, so it must see all of them. */
  readonly samples: boolean
  /** It needs a span of its own for the call upstream. */
  readonly upstreamSpan: boolean
}

const ZIPKIN_PATH = '/api/v2/spans'
const ZIPKIN_TIMEOUT = 5000

/** Undefined: the provider takes no spans, or nobody knows its service. */
export function tracerOf(build: Build, provider: ExtensionProvider): Tracer | undefined {
  if (provider.zipkin !== undefined) return zipkin(build, provider.zipkin)
  if (provider.datadog !== undefined) return datadog(build, provider.datadog)
  if (provider.skywalking !== undefined) return skywalking(build, provider.skywalking)
  return provider.opentelemetry === undefined ? undefined : openTelemetry(build, provider.opentelemetry)
}

function tracer(name: string, typed_config: TypedMessage, more: Partial<Tracer> = {}): Tracer {
  return { name: `envoy.tracers.${name}`, typed_config, maxTagLength: 0, samples: false, upstreamSpan: false, ...more }
}

function zipkin(build: Build, provider: ZipkinProvider): Tracer | undefined {
  const found = lookupService(build, provider.service, provider.port)
  if (found === undefined) return undefined
  const collector_service: HttpService = defined({
    http_uri: {
      uri: `http://${found.hostname}${provider.path || ZIPKIN_PATH}`,
      cluster: found.cluster,
      timeout: duration(provider.timeout ?? ZIPKIN_TIMEOUT),
    },
    request_headers_to_add: headersOf(build, provider.headers),
  })
  const older = {
    collector_cluster: found.cluster,
    collector_endpoint: provider.path || ZIPKIN_PATH,
    collector_hostname: found.hostname,
  }
  const w3c = provider.traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION' && versionAtLeast(build.proxy, 1, 28)
  const config = {
    collector_endpoint_version: 'HTTP_JSON',
    trace_id_128bit: provider.enable64bitTraceId === true ? undefined : true,
    shared_span_context: false,
    ...(versionAtLeast(build.proxy, 1, 29) ? { collector_service } : older),
    trace_context_option: w3c ? provider.traceContextOption : undefined,
  }
  const { maxTagLength = 0 } = provider
  return tracer('zipkin', typed('envoy.config.trace.v3.ZipkinConfig', config), { maxTagLength })
}

function datadog(build: Build, provider: ServiceProvider & { readonly maxTagLength?: number }): Tracer | undefined {
  const found = lookupService(build, provider.service, provider.port)
  if (found === undefined) return undefined
  const config = {
    collector_cluster: found.cluster,
    service_name: build.proxy.serviceCluster,
    collector_hostname: found.hostname,
  }
  const { maxTagLength = 0 } = provider
  return tracer('datadog', typed('envoy.config.trace.v3.DatadogConfig', config), { maxTagLength })
}

function skywalking(build: Build, provider: ServiceProvider): Tracer | undefined {
  const found = lookupService(build, provider.service, provider.port)
  if (found === undefined) return undefined
  const grpc_service: GrpcService = { envoy_grpc: { cluster_name: found.cluster, authority: found.hostname } }
  return tracer('skywalking', typed('envoy.config.trace.v3.SkyWalkingConfig', { grpc_service }), { upstreamSpan: true })
}

function openTelemetry(build: Build, provider: OpenTelemetryProvider): Tracer | undefined {
  const found = lookupService(build, provider.service, provider.port)
  const sampler = provider.dynatraceSampler === undefined ? undefined : dynatrace(build, provider, provider.dynatraceSampler)
  if (found === undefined || sampler === null) return undefined
  const { http, grpc, resourceDetectors: detectors = {} } = provider
  const resource_detectors = (['environment', 'dynatrace'] as const)
    .filter((name) => detectors[name] !== undefined)
    .map(resourceDetector)
  const exporter =
    http === undefined
      ? {
          grpc_service: defined({
            envoy_grpc: { cluster_name: found.cluster, authority: found.hostname },
            timeout: grpc?.timeout === undefined ? undefined : duration(grpc.timeout),
            initial_metadata: headerValues(build, grpc?.initialMetadata),
          }),
        }
      : { http_service: httpService(build, found, http) }
  const config = {
    ...exporter,
    service_name: build.proxy.serviceCluster,
    resource_detectors: resource_detectors.length === 0 ? undefined : resource_detectors,
    sampler,
  }
  const { maxTagLength = 0 } = provider
  const typed_config = typed('envoy.config.trace.v3.OpenTelemetryConfig', config)
  return tracer('opentelemetry', typed_config, { maxTagLength, samples: sampler !== undefined })
}

function resourceDetector(name: 'environment' | 'dynatrace'): object {
  const message = name === 'environment' ? 'EnvironmentResourceDetectorConfig' : 'DynatraceResourceDetectorConfig'
  return {
    name: `envoy.tracers.opentelemetry.resource_detectors.${name}`,
    typed_config: typed(`envoy.extensions.tracers.opentelemetry.resource_detectors.v3.${message}`),
  }
}

const DYNATRACE_PATH = 'api/v2/samplingConfiguration'

/** Asks Dynatrace how much to keep: where the exporter sends to, unless the sampler has a service of its own. Null: it cannot be asked. */
function dynatrace(build: Build, provider: OpenTelemetryProvider, sampler: DynatraceSampler): object | null {
  const own = sampler.httpService
  const found = lookupService(build, own?.service ?? provider.service, own?.port ?? provider.port)
  const http = own === undefined ? provider.http && { ...provider.http, path: DYNATRACE_PATH } : own.http
  if (found === undefined || http === undefined) return null
  const config = {
    tenant: sampler.tenant || undefined,
    cluster_id: sampler.clusterId || undefined,
    root_spans_per_minute: sampler.rootSpansPerMinute || undefined,
    http_service: httpService(build, found, http),
  }
  return {
    name: 'envoy.tracers.opentelemetry.samplers.dynatrace',
    typed_config: typed('envoy.extensions.tracers.opentelemetry.samplers.v3.DynatraceSamplerConfig', config),
  }
}

type HttpExport = NonNullable<OpenTelemetryProvider['http']>

function httpService(
  build: Build,
  { hostname, cluster }: { readonly hostname: string; readonly cluster: string },
  { path, timeout, headers }: HttpExport,
): HttpService {
  const uri = `${hostname}/${path.replace(/^\/+/, '')}`
  return defined({
    http_uri: defined({ uri, cluster, timeout: timeout === undefined ? undefined : duration(timeout) }),
    request_headers_to_add: headersOf(build, headers),
  })
}

function headersOf(build: Build, headers: readonly ProviderHttpHeader[] | undefined): HttpService['request_headers_to_add'] {
  return headerValues(build, headers)?.map((header) => ({ header, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }))
}

/** `envName` is a variable of the control plane: keys stay out of the mesh config. */
function headerValues(build: Build, headers: readonly ProviderHttpHeader[] | undefined): HeaderValue[] | undefined {
  if (headers === undefined || headers.length === 0) return undefined
  return headers.map(({ name, value, envName }) =>
    defined({ key: name, value: (value ?? build.features.variable(envName ?? '')) || undefined }),
  )
}
