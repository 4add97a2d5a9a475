import type { Duration } from './common.js'

/** A provider of MeshConfig.extensionProviders: a name and exactly one of the others. */
export interface ExtensionProvider {
  name: string
  envoyExtAuthzHttp?: EnvoyExtAuthzHttpProvider
  envoyExtAuthzGrpc?: EnvoyExtAuthzGrpcProvider
  zipkin?: ZipkinProvider
  lightstep?: Readonly<Record<string, unknown>>
  datadog?: ServiceProvider & { maxTagLength?: number }
  stackdriver?: Readonly<Record<string, unknown>>
  opencensus?: Readonly<Record<string, unknown>>
  skywalking?: ServiceProvider & { accessToken?: string }
  opentelemetry?: OpenTelemetryProvider
  prometheus?: Readonly<Record<string, never>>
  envoyFileAccessLog?: EnvoyFileAccessLogProvider
  envoyHttpAls?: EnvoyAlsProvider
  envoyTcpAls?: EnvoyAlsProvider
  envoyOtelAls?: EnvoyOtelAlsProvider
  sds?: Readonly<Record<string, unknown>>
}

export interface ServiceProvider {
  /** `host`, or `namespace/host`. */
  service: string
  port: number
}

export interface RequestBodyInCheck {
  maxRequestBytes?: number
  allowPartialMessage?: boolean
  packAsBytes?: boolean
}

export interface EnvoyExtAuthzHttpProvider extends ServiceProvider {
  /** Default 600 s. */
  timeout?: Duration
  pathPrefix?: string
  failOpen?: boolean
  clearRouteCache?: boolean
  /** Default 403. */
  statusOnError?: string
  /** @deprecated */
  includeHeadersInCheck?: readonly string[]
  includeRequestHeadersInCheck?: readonly string[]
  includeAdditionalHeadersInCheck?: Readonly<Record<string, string>>
  includeRequestBodyInCheck?: RequestBodyInCheck
  headersToUpstreamOnAllow?: readonly string[]
  headersToDownstreamOnDeny?: readonly string[]
  headersToDownstreamOnAllow?: readonly string[]
}

export interface EnvoyExtAuthzGrpcProvider extends ServiceProvider {
  timeout?: Duration
  failOpen?: boolean
  clearRouteCache?: boolean
  statusOnError?: string
  includeRequestBodyInCheck?: RequestBodyInCheck
}

export interface ZipkinProvider extends ServiceProvider {
  maxTagLength?: number
  enable64bitTraceId?: boolean
  /** Default /api/v2/spans. */
  path?: string
  traceContextOption?: string
  timeout?: Duration
  headers?: readonly ProviderHttpHeader[]
}

export interface ProviderHttpHeader {
  name: string
  value?: string
  envName?: string
}

export interface OpenTelemetryProvider extends ServiceProvider {
  maxTagLength?: number
  http?: { path: string; timeout?: Duration; headers?: readonly ProviderHttpHeader[] }
  grpc?: { timeout?: Duration; initialMetadata?: readonly ProviderHttpHeader[] }
  resourceDetectors?: { environment?: Readonly<Record<string, never>>; dynatrace?: Readonly<Record<string, never>> }
  dynatraceSampler?: Readonly<Record<string, unknown>>
  serviceAttributeEnrichment?: string
}

/** Default format: Istio's text. */
export interface EnvoyFileAccessLogProvider {
  path: string
  logFormat?: { text?: string; labels?: Readonly<Record<string, unknown>> }
  omitEmptyValues?: boolean
}

export interface EnvoyAlsProvider extends ServiceProvider {
  logName?: string
  filterStateObjectsToLog?: readonly string[]
  additionalRequestHeadersToLog?: readonly string[]
  additionalResponseHeadersToLog?: readonly string[]
  additionalResponseTrailersToLog?: readonly string[]
}

export interface EnvoyOtelAlsProvider extends ServiceProvider {
  logName?: string
  logFormat?: { text?: string; labels?: Readonly<Record<string, unknown>> }
}
