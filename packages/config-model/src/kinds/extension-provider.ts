import { fields } from '../decode/fields.js'
import { type Decode, duration, flag, int32, listOf, struct, text, uint32 } from '../decode/value.js'
import type { Duration } from './common.js'
import { textMap, texts } from './common.js'

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
  dynatraceSampler?: DynatraceSampler
  serviceAttributeEnrichment?: string
}

/** Keeps as many traces as Dynatrace says. */
export interface DynatraceSampler {
  tenant?: string
  clusterId?: number
  /** Default 1000, Envoy's. */
  rootSpansPerMinute?: number
  /** Default: the service and headers of the provider's HTTP exporter. */
  httpService?: ServiceProvider & { http?: NonNullable<OpenTelemetryProvider['http']> }
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

const empty = fields<Record<never, never>>({}) as Decode<Readonly<Record<string, never>>>
const named = { service: text, port: uint32 }
const unnamed = { service: '', port: 0 }
const bodyCheck = fields<RequestBodyInCheck>({ maxRequestBytes: uint32, allowPartialMessage: flag, packAsBytes: flag })
const header = fields<ProviderHttpHeader>({ name: text, value: text, envName: text }, { defaults: { name: '' } })
const logFormat = fields<{ text?: string; labels?: Readonly<Record<string, unknown>> }>({ text, labels: struct })

const extAuthzHttp = fields<EnvoyExtAuthzHttpProvider>(
  {
    ...named,
    timeout: duration,
    pathPrefix: text,
    failOpen: flag,
    clearRouteCache: flag,
    statusOnError: text,
    includeHeadersInCheck: texts,
    includeRequestHeadersInCheck: texts,
    includeAdditionalHeadersInCheck: textMap,
    includeRequestBodyInCheck: bodyCheck,
    headersToUpstreamOnAllow: texts,
    headersToDownstreamOnDeny: texts,
    headersToDownstreamOnAllow: texts,
  },
  { defaults: unnamed },
)

const extAuthzGrpc = fields<EnvoyExtAuthzGrpcProvider>(
  {
    ...named,
    timeout: duration,
    failOpen: flag,
    clearRouteCache: flag,
    statusOnError: text,
    includeRequestBodyInCheck: bodyCheck,
  },
  { defaults: unnamed },
)

const zipkin = fields<ZipkinProvider>(
  {
    ...named,
    maxTagLength: uint32,
    enable64bitTraceId: flag,
    path: text,
    traceContextOption: text,
    timeout: duration,
    headers: listOf(header),
  },
  { defaults: unnamed },
)

const httpExport = fields<NonNullable<OpenTelemetryProvider['http']>>(
  { path: text, timeout: duration, headers: listOf(header) },
  { defaults: { path: '' } },
)

const dynatraceSampler = fields<DynatraceSampler>({
  tenant: text,
  clusterId: int32,
  rootSpansPerMinute: uint32,
  httpService: fields<NonNullable<DynatraceSampler['httpService']>>({ ...named, http: httpExport }, { defaults: unnamed }),
})

const opentelemetry = fields<OpenTelemetryProvider>(
  {
    ...named,
    maxTagLength: uint32,
    http: httpExport,
    grpc: fields<NonNullable<OpenTelemetryProvider['grpc']>>({ timeout: duration, initialMetadata: listOf(header) }),
    resourceDetectors: fields<NonNullable<OpenTelemetryProvider['resourceDetectors']>>({ environment: empty, dynatrace: empty }),
    dynatraceSampler,
    serviceAttributeEnrichment: text,
  },
  { defaults: unnamed },
)

const als = fields<EnvoyAlsProvider>(
  {
    ...named,
    logName: text,
    filterStateObjectsToLog: texts,
    additionalRequestHeadersToLog: texts,
    additionalResponseHeadersToLog: texts,
    additionalResponseTrailersToLog: texts,
  },
  { defaults: unnamed },
)

export const extensionProvider: Decode<ExtensionProvider> = fields<ExtensionProvider>(
  {
    name: text,
    envoyExtAuthzHttp: extAuthzHttp,
    envoyExtAuthzGrpc: extAuthzGrpc,
    zipkin,
    lightstep: struct,
    datadog: fields<ServiceProvider & { maxTagLength?: number }>({ ...named, maxTagLength: uint32 }, { defaults: unnamed }),
    stackdriver: struct,
    opencensus: struct,
    skywalking: fields<ServiceProvider & { accessToken?: string }>({ ...named, accessToken: text }, { defaults: unnamed }),
    opentelemetry,
    prometheus: empty,
    envoyFileAccessLog: fields<EnvoyFileAccessLogProvider>(
      { path: text, logFormat, omitEmptyValues: flag },
      { defaults: { path: '' } },
    ),
    envoyHttpAls: als,
    envoyTcpAls: als,
    envoyOtelAls: fields<EnvoyOtelAlsProvider>({ ...named, logName: text, logFormat }, { defaults: unnamed }),
    sds: struct,
  },
  { required: ['name'] },
)
