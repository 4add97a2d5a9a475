import { fields, type Legacy } from '../decode/fields.js'
import { warn } from '../decode/site.js'
import {
  CODE_DEPRECATED,
  type Decode,
  decimal,
  duration,
  flag,
  int32,
  mapOf,
  oneOf,
  struct,
  text,
  uint32,
} from '../decode/value.js'
import { type ClientTLSSettings, clientTlsSettings, type Duration, textMap, texts } from './common.js'
import { type TcpKeepalive, tcpKeepalive } from './traffic-policy.js'

/** istio.mesh.v1alpha1.ProxyConfig: MeshConfig.defaultConfig, the annotation proxy.istio.io/config, node metadata PROXY_CONFIG. */
export interface MeshProxyConfig {
  configPath: string
  binaryPath: string
  serviceCluster?: string
  tracingServiceName?: 'APP_LABEL_AND_NAMESPACE' | 'CANONICAL_NAME_ONLY' | 'CANONICAL_NAME_AND_NAMESPACE'
  /** Default 45 s. */
  drainDuration: Duration
  /** Default 5 s. */
  terminationDrainDuration: Duration
  discoveryAddress: string
  controlPlaneAuthPolicy: 'NONE' | 'MUTUAL_TLS'
  /** Default 15000. */
  proxyAdminPort: number
  /** Default 15020. */
  statusPort: number
  /** Default 189. */
  statNameLength: number
  statsdUdpAddress?: string
  zipkinAddress?: string
  envoyMetricsService?: { address?: string; tlsSettings?: ClientTLSSettings; tcpKeepalive?: TcpKeepalive }
  envoyAccessLogService?: { address?: string; tlsSettings?: ClientTLSSettings; tcpKeepalive?: TcpKeepalive }
  customConfigFile?: string
  proxyBootstrapTemplatePath?: string
  /** Absent: by CPU limits. 0: all. */
  concurrency?: number
  interceptionMode: 'REDIRECT' | 'TPROXY' | 'NONE'
  tracing?: ProxyTracing
  proxyMetadata: Readonly<Record<string, string>>
  runtimeValues?: Readonly<Record<string, string>>
  extraStatTags?: readonly string[]
  proxyStatsMatcher?: {
    inclusionPrefixes?: readonly string[]
    inclusionSuffixes?: readonly string[]
    inclusionRegexps?: readonly string[]
  }
  statsCompression?: boolean
  gatewayTopology?: {
    numTrustedProxies?: number
    forwardClientCertDetails?: ForwardClientCertDetails
    proxyProtocol?: Readonly<Record<string, unknown>>
  }
  meshId?: string
  readinessProbe?: Readonly<Record<string, unknown>>
  holdApplicationUntilProxyStarts?: boolean
  caCertificatesPem?: readonly string[]
  image?: { imageType?: string }
  privateKeyProvider?: Readonly<Record<string, unknown>>
  proxyHeaders?: ProxyHeaders
  fileFlushInterval?: Duration
  fileFlushMinSizeKb?: number
  connectionSettings?: ConnectionSettings
}

export type ForwardClientCertDetails =
  | 'UNDEFINED'
  | 'SANITIZE'
  | 'FORWARD_ONLY'
  | 'APPEND_FORWARD'
  | 'SANITIZE_SET'
  | 'ALWAYS_FORWARD_ONLY'

/** Which headers the proxy adds. Absent: Istio's default, on except for x-forwarded-host and -port. */
export interface ProxyHeaders {
  forwardedClientCert?: ForwardClientCertDetails
  setCurrentClientCertDetails?: { subject?: boolean; cert?: boolean; chain?: boolean; dns?: boolean; uri?: boolean }
  requestId?: { disabled?: boolean }
  server?: { disabled?: boolean; value?: string }
  attemptCount?: { disabled?: boolean }
  envoyDebugHeaders?: { disabled?: boolean }
  metadataExchangeHeaders?: { mode?: 'UNDEFINED' | 'IN_MESH' }
  preserveHttp1HeaderCase?: boolean
  xForwardedHost?: { enabled?: boolean }
  xForwardedPort?: { enabled?: boolean }
}

/** Buffers, timeouts and limits of connections; EDGE is hardened for gateways. */
export interface ConnectionSettings {
  profile?: 'UNSPECIFIED' | 'SIDECAR' | 'EDGE'
  listenerPerConnectionBufferLimitBytes?: number
  clusterPerConnectionBufferLimitBytes?: number
  httpIdleTimeout?: Duration
  httpMaxConnectionDuration?: Duration
  httpDrainTimeout?: Duration
  httpRequestTimeout?: Duration
  httpRequestHeadersTimeout?: Duration
  httpStreamIdleTimeout?: Duration
  httpMaxStreamDuration?: Duration
  httpMaxConcurrentStreams?: number
  http2InitialStreamWindowSize?: number
  http2InitialConnectionWindowSize?: number
  httpHeadersWithUnderscoresAction?: string
  httpMergeSlashes?: boolean
  httpPathWithEscapedSlashesAction?: string
  listenerConnectionLimit?: number
  globalDownstreamConnectionLimit?: number
}

/** ProxyConfig.tracing. */
export interface ProxyTracing {
  zipkin?: { address: string }
  lightstep?: { address?: string; accessToken?: string }
  datadog?: { address: string }
  stackdriver?: Readonly<Record<string, unknown>>
  openCensusAgent?: Readonly<Record<string, unknown>>
  customTags?: Readonly<Record<string, MeshCustomTag>>
  /** Default 256. */
  maxPathTagLength?: number
  /** Percent; default 1. */
  sampling?: number
  tlsSettings?: ClientTLSSettings
  enableIstioTags?: boolean
}

export interface MeshCustomTag {
  literal?: { value: string }
  environment?: { name: string; defaultValue?: string }
  header?: { name: string; defaultValue?: string }
}

const certDetails = oneOf('UNDEFINED', 'SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY')
const disabled = fields<{ disabled?: boolean }>({ disabled: flag })
const enabled = fields<{ enabled?: boolean }>({ enabled: flag })

const proxyHeaders = fields<ProxyHeaders>({
  forwardedClientCert: certDetails,
  setCurrentClientCertDetails: fields<NonNullable<ProxyHeaders['setCurrentClientCertDetails']>>({
    subject: flag,
    cert: flag,
    chain: flag,
    dns: flag,
    uri: flag,
  }),
  requestId: disabled,
  server: fields<{ disabled?: boolean; value?: string }>({ disabled: flag, value: text }),
  attemptCount: disabled,
  envoyDebugHeaders: disabled,
  metadataExchangeHeaders: fields<{ mode?: 'UNDEFINED' | 'IN_MESH' }>({ mode: oneOf('UNDEFINED', 'IN_MESH') }),
  preserveHttp1HeaderCase: flag,
  xForwardedHost: enabled,
  xForwardedPort: enabled,
})

const connectionSettings = fields<ConnectionSettings>({
  profile: oneOf('UNSPECIFIED', 'SIDECAR', 'EDGE'),
  listenerPerConnectionBufferLimitBytes: uint32,
  clusterPerConnectionBufferLimitBytes: uint32,
  httpIdleTimeout: duration,
  httpMaxConnectionDuration: duration,
  httpDrainTimeout: duration,
  httpRequestTimeout: duration,
  httpRequestHeadersTimeout: duration,
  httpStreamIdleTimeout: duration,
  httpMaxStreamDuration: duration,
  httpMaxConcurrentStreams: uint32,
  http2InitialStreamWindowSize: uint32,
  http2InitialConnectionWindowSize: uint32,
  httpHeadersWithUnderscoresAction: text,
  httpMergeSlashes: flag,
  httpPathWithEscapedSlashesAction: text,
  listenerConnectionLimit: uint32,
  globalDownstreamConnectionLimit: uint32,
})

const named = fields<{ name: string; defaultValue?: string }>({ name: text, defaultValue: text }, { defaults: { name: '' } })
const address = fields<{ address: string }>({ address: text }, { defaults: { address: '' } })

const tracing = fields<ProxyTracing>({
  zipkin: address,
  lightstep: fields<{ address?: string; accessToken?: string }>({ address: text, accessToken: text }),
  datadog: address,
  stackdriver: struct,
  openCensusAgent: struct,
  customTags: mapOf(
    fields<MeshCustomTag>({
      literal: fields<{ value: string }>({ value: text }, { defaults: { value: '' } }),
      environment: named,
      header: named,
    }),
  ),
  maxPathTagLength: uint32,
  sampling: decimal,
  tlsSettings: clientTlsSettings,
  enableIstioTags: flag,
})

const remoteService = fields<NonNullable<MeshProxyConfig['envoyMetricsService']>>({
  address: text,
  tlsSettings: clientTlsSettings,
  tcpKeepalive,
})

// Fields of Istio 1.0 and its successors that mean nothing any more.
const GONE = [
  'discoveryRefreshDelay',
  'parentShutdownDuration',
  'connectTimeout',
  'availabilityZone',
  'proxyUid',
  'proxyGid',
  'sds',
  'envoyMetricsServiceAddress',
  'customConfig',
] as const

const gone: Legacy<unknown> = (_value, _target, site) => {
  warn(site, CODE_DEPRECATED, `${String(site.key)} has no effect any more: remove it`)
}

/** What is written of a ProxyConfig, without defaults. */
export const partialProxyConfig: Decode<Partial<MeshProxyConfig>> = fields<Partial<MeshProxyConfig>>(
  {
    configPath: text,
    binaryPath: text,
    serviceCluster: text,
    tracingServiceName: oneOf('APP_LABEL_AND_NAMESPACE', 'CANONICAL_NAME_ONLY', 'CANONICAL_NAME_AND_NAMESPACE'),
    drainDuration: duration,
    terminationDrainDuration: duration,
    discoveryAddress: text,
    controlPlaneAuthPolicy: oneOf('NONE', 'MUTUAL_TLS'),
    proxyAdminPort: int32,
    statusPort: int32,
    statNameLength: int32,
    statsdUdpAddress: text,
    zipkinAddress: text,
    envoyMetricsService: remoteService,
    envoyAccessLogService: remoteService,
    customConfigFile: text,
    proxyBootstrapTemplatePath: text,
    concurrency: int32,
    interceptionMode: oneOf('REDIRECT', 'TPROXY', 'NONE'),
    tracing,
    proxyMetadata: textMap,
    runtimeValues: textMap,
    extraStatTags: texts,
    proxyStatsMatcher: fields<NonNullable<MeshProxyConfig['proxyStatsMatcher']>>({
      inclusionPrefixes: texts,
      inclusionSuffixes: texts,
      inclusionRegexps: texts,
    }),
    statsCompression: flag,
    gatewayTopology: fields<NonNullable<MeshProxyConfig['gatewayTopology']>>({
      numTrustedProxies: uint32,
      forwardClientCertDetails: certDetails,
      proxyProtocol: struct,
    }),
    meshId: text,
    readinessProbe: struct,
    holdApplicationUntilProxyStarts: flag,
    caCertificatesPem: texts,
    image: fields<{ imageType?: string }>({ imageType: text }),
    privateKeyProvider: struct,
    proxyHeaders,
    fileFlushInterval: duration,
    fileFlushMinSizeKb: uint32,
    connectionSettings,
  },
  { legacy: Object.fromEntries(GONE.map((name) => [name, gone])) },
)

/** Istio's proxy config when nobody wrote one. */
export const defaultProxyConfig: MeshProxyConfig = {
  configPath: './etc/istio/proxy',
  binaryPath: '/usr/local/bin/envoy',
  serviceCluster: 'istio-proxy',
  drainDuration: 45_000,
  terminationDrainDuration: 5000,
  discoveryAddress: 'istiod.istio-system.svc:15012',
  controlPlaneAuthPolicy: 'MUTUAL_TLS',
  proxyAdminPort: 15000,
  statusPort: 15020,
  statNameLength: 189,
  interceptionMode: 'REDIRECT',
  proxyMetadata: {},
}
