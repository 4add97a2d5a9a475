import type {
  ClientTLSSettings,
  Duration,
  LabelSelector,
  LocalityLoadBalancerSetting,
  ZoneAwareLoadBalancerSetting,
} from './common.js'
import type { ExtensionProvider } from './extension-provider.js'
import type { HTTPRetry } from './http-route.js'
import type { ConnectionSettings, ProxyHeaders, ProxyTracing } from './mesh-proxy-config.js'
import type { ConnectionPoolSettings, OutlierDetection, TcpKeepalive } from './traffic-policy.js'

/** istio.mesh.v1alpha1.MeshConfig after defaults. Fields with a default in Istio are always present. */
export interface MeshConfig {
  /** Default 15001. */
  proxyListenPort: number
  /** Default 15006. */
  proxyInboundListenPort: number
  /** Port of the HTTP proxy listener; 0 is off. */
  proxyHttpPort: number
  /** Default 10 s. */
  connectTimeout: Duration
  hboneIdleTimeout?: Duration
  /** Default 0: off. */
  protocolDetectionTimeout: Duration
  tcpKeepalive?: TcpKeepalive
  /** Default 60 s. */
  dnsRefreshRate: Duration
  ingressClass: string
  ingressService: string
  ingressControllerMode: 'UNSPECIFIED' | 'OFF' | 'DEFAULT' | 'STRICT'
  ingressSelector: string
  enableTracing: boolean
  /** '' is off. */
  accessLogFile: string
  accessLogFormat: string
  accessLogEncoding: 'TEXT' | 'JSON'
  enableEnvoyAccessLogService: boolean
  disableEnvoyListenerLog: boolean
  defaultConfig: MeshProxyConfig
  outboundTrafficPolicy: MeshOutboundTrafficPolicy
  inboundTrafficPolicy: { mode: 'PASSTHROUGH' | 'LOCALHOST' }
  configSources?: readonly ConfigSource[]
  /** Default true. */
  enableAutoMtls: boolean
  /** Default cluster.local. */
  trustDomain: string
  trustDomainAliases: readonly string[]
  caCertificates?: readonly {
    pem?: string
    spiffeBundleUrl?: string
    certSigners?: readonly string[]
    trustDomains?: readonly string[]
  }[]
  ca?: { address: string; tlsSettings?: ClientTLSSettings; requestTimeout?: Duration; istiodSide?: boolean }
  /** Default `*`. */
  defaultServiceExportTo: readonly string[]
  defaultVirtualServiceExportTo: readonly string[]
  defaultDestinationRuleExportTo: readonly string[]
  /** Default istio-system. */
  rootNamespace: string
  /** Default enabled. */
  localityLbSetting: LocalityLoadBalancerSetting
  zoneAwareLbSetting?: ZoneAwareLoadBalancerSetting
  h2UpgradePolicy: 'DO_NOT_UPGRADE' | 'UPGRADE'
  defaultHttpRetryPolicy?: HTTPRetry
  defaultInboundHttpRetryPolicy?: HTTPRetry
  defaultTrafficPolicy?: { connectionPool?: ConnectionPoolSettings; outlierDetection?: OutlierDetection }
  inboundClusterStatName: string
  outboundClusterStatName: string
  serviceSettings?: readonly { settings?: { clusterLocal?: boolean }; hosts?: readonly string[] }[]
  serviceScopeConfigs?: readonly {
    namespaceSelector?: LabelSelector
    servicesSelector?: LabelSelector
    scope?: 'LOCAL' | 'GLOBAL'
  }[]
  discoverySelectors: readonly LabelSelector[]
  serviceEntryVisibility?: {
    defaultVisibility?: string
    applyToSidecars?: boolean
    policies?: readonly { visibility?: string; matchingRules?: readonly unknown[] }[]
  }
  /** Default true. */
  enablePrometheusMerge: boolean
  verifyCertificateAtClient?: boolean
  /** The built-in prometheus, stackdriver, envoy and the configured ones. */
  extensionProviders: readonly ExtensionProvider[]
  defaultProviders?: { tracing?: readonly string[]; metrics?: readonly string[]; accessLogging?: readonly string[] }
  pathNormalization?: { normalization: 'DEFAULT' | 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES' }
  meshMTLS?: MeshTLS
  tlsDefaults?: MeshTLS
}

export interface MeshTLS {
  minProtocolVersion?: 'TLS_AUTO' | 'TLSV1_2' | 'TLSV1_3'
  ecdhCurves?: readonly string[]
  cipherSuites?: readonly string[]
}

export interface MeshOutboundTrafficPolicy {
  /** Default ALLOW_ANY. */
  mode: 'REGISTRY_ONLY' | 'ALLOW_ANY' | 'ALLOW_ANY_DYNAMIC_DNS'
  tls?: ClientTLSSettings
}

export interface ConfigSource {
  /** `xds://`, `k8s://`, `fs://`. */
  address: string
  tlsSettings?: ClientTLSSettings
  subscribedResources?: readonly string[]
}

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
