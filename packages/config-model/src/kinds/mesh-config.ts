import { fields, type Legacy } from '../decode/fields.js'
import { type Site, warn } from '../decode/site.js'
import { anything, CODE_DEPRECATED, type Decode, duration, flag, int32, listOf, oneOf, text } from '../decode/value.js'
import type {
  ClientTLSSettings,
  Duration,
  LabelSelector,
  LocalityLoadBalancerSetting,
  ZoneAwareLoadBalancerSetting,
} from './common.js'
import { clientTlsSettings, labelSelector, localityLbSetting, texts, zoneAwareLbSetting } from './common.js'
import type { ExtensionProvider } from './extension-provider.js'
import { extensionProvider } from './extension-provider.js'
import type { HTTPRetry } from './http-route.js'
import { httpRetry } from './http-route.js'
import type { MeshProxyConfig } from './mesh-proxy-config.js'
import { defaultProxyConfig, partialProxyConfig } from './mesh-proxy-config.js'
import type { ConnectionPoolSettings, OutlierDetection, TcpKeepalive } from './traffic-policy.js'
import { connectionPoolSettings, outlierDetection, tcpKeepalive } from './traffic-policy.js'

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

const meshTls = fields<MeshTLS>({
  minProtocolVersion: oneOf('TLS_AUTO', 'TLSV1_2', 'TLSV1_3'),
  ecdhCurves: texts,
  cipherSuites: texts,
})

const certificateData = fields<NonNullable<MeshConfig['caCertificates']>[number]>({
  pem: text,
  spiffeBundleUrl: text,
  certSigners: texts,
  trustDomains: texts,
})

const outboundPolicy = fields<MeshOutboundTrafficPolicy>(
  { mode: oneOf('REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS'), tls: clientTlsSettings },
  { defaults: { mode: 'REGISTRY_ONLY' } },
)

// Fields of Istio 1.0 and its successors that mean nothing any more. They are accepted, so that an old config still starts.
const GONE = [
  'mixerCheckServer',
  'mixerReportServer',
  'mixerAddress',
  'disablePolicyChecks',
  'disableMixerHttpReports',
  'policyCheckFailOpen',
  'sidecarToTelemetrySessionAffinity',
  'rdsRefreshDelay',
  'authPolicy',
  'sdsUdsPath',
  'sdsRefreshDelay',
  'enableSdsTokenMount',
  'sdsUseK8sSaJwt',
  'egressProxyAddress',
  'enableClientSidePolicyCheck',
  'reportBatchMaxEntries',
  'reportBatchMaxTime',
  'disableReportBatch',
  'localityLbConfig',
  'certificates',
  'thriftConfig',
] as const

export const gone: Legacy<unknown> = (_value, _target, site) => {
  warn(site, CODE_DEPRECATED, `${String(site.key)} has no effect any more: remove it`)
}

const partialMeshConfig: Decode<Partial<MeshConfig>> = fields<Partial<MeshConfig>>(
  {
    proxyListenPort: int32,
    proxyInboundListenPort: int32,
    proxyHttpPort: int32,
    connectTimeout: duration,
    hboneIdleTimeout: duration,
    protocolDetectionTimeout: duration,
    tcpKeepalive,
    dnsRefreshRate: duration,
    ingressClass: text,
    ingressService: text,
    ingressControllerMode: oneOf('UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT'),
    ingressSelector: text,
    enableTracing: flag,
    accessLogFile: text,
    accessLogFormat: text,
    accessLogEncoding: oneOf('TEXT', 'JSON'),
    enableEnvoyAccessLogService: flag,
    disableEnvoyListenerLog: flag,
    // Read by itself, to be laid over the default.
    defaultConfig: partialProxyConfig as Decode<MeshProxyConfig>,
    outboundTrafficPolicy: outboundPolicy,
    inboundTrafficPolicy: fields<{ mode: 'PASSTHROUGH' | 'LOCALHOST' }>(
      { mode: oneOf('PASSTHROUGH', 'LOCALHOST') },
      { defaults: { mode: 'PASSTHROUGH' } },
    ),
    configSources: listOf(
      fields<ConfigSource>(
        { address: text, tlsSettings: clientTlsSettings, subscribedResources: texts },
        { defaults: { address: '' } },
      ),
    ),
    enableAutoMtls: flag,
    trustDomain: text,
    trustDomainAliases: texts,
    caCertificates: listOf(certificateData),
    ca: fields<NonNullable<MeshConfig['ca']>>(
      { address: text, tlsSettings: clientTlsSettings, requestTimeout: duration, istiodSide: flag },
      { defaults: { address: '' } },
    ),
    defaultServiceExportTo: texts,
    defaultVirtualServiceExportTo: texts,
    defaultDestinationRuleExportTo: texts,
    rootNamespace: text,
    localityLbSetting,
    zoneAwareLbSetting,
    h2UpgradePolicy: oneOf('DO_NOT_UPGRADE', 'UPGRADE'),
    defaultHttpRetryPolicy: httpRetry,
    defaultInboundHttpRetryPolicy: httpRetry,
    defaultTrafficPolicy: fields<NonNullable<MeshConfig['defaultTrafficPolicy']>>({
      connectionPool: connectionPoolSettings,
      outlierDetection,
    }),
    inboundClusterStatName: text,
    outboundClusterStatName: text,
    serviceSettings: listOf(
      fields<NonNullable<MeshConfig['serviceSettings']>[number]>({
        settings: fields<{ clusterLocal?: boolean }>({ clusterLocal: flag }),
        hosts: texts,
      }),
    ),
    serviceScopeConfigs: listOf(
      fields<NonNullable<MeshConfig['serviceScopeConfigs']>[number]>({
        namespaceSelector: labelSelector,
        servicesSelector: labelSelector,
        scope: oneOf('LOCAL', 'GLOBAL'),
      }),
    ),
    discoverySelectors: listOf(labelSelector),
    serviceEntryVisibility: fields<NonNullable<MeshConfig['serviceEntryVisibility']>>({
      defaultVisibility: text,
      applyToSidecars: flag,
      policies: listOf(
        fields<{ visibility?: string; matchingRules?: readonly unknown[] }>({
          visibility: text,
          matchingRules: listOf(anything),
        }),
      ),
    }),
    enablePrometheusMerge: flag,
    verifyCertificateAtClient: flag,
    extensionProviders: listOf(extensionProvider),
    defaultProviders: fields<NonNullable<MeshConfig['defaultProviders']>>({
      tracing: texts,
      metrics: texts,
      accessLogging: texts,
    }),
    pathNormalization: fields<NonNullable<MeshConfig['pathNormalization']>>(
      { normalization: oneOf('DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES') },
      { defaults: { normalization: 'DEFAULT' } },
    ),
    meshMTLS: meshTls,
    tlsDefaults: meshTls,
  },
  { legacy: Object.fromEntries(GONE.map((name) => [name, gone])) },
)

const BUILT_IN_PROVIDERS: readonly ExtensionProvider[] = [
  { name: 'prometheus', prometheus: {} },
  { name: 'stackdriver', stackdriver: {} },
  { name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout' } },
]

/** Istio's mesh config when nobody wrote one. */
export const defaultMeshConfig: MeshConfig = {
  proxyListenPort: 15001,
  proxyInboundListenPort: 15006,
  proxyHttpPort: 0,
  connectTimeout: 10_000,
  protocolDetectionTimeout: 0,
  dnsRefreshRate: 60_000,
  ingressClass: 'istio',
  ingressService: 'istio-ingressgateway',
  ingressControllerMode: 'STRICT',
  ingressSelector: 'ingressgateway',
  enableTracing: true,
  accessLogFile: '',
  accessLogFormat: '',
  accessLogEncoding: 'TEXT',
  enableEnvoyAccessLogService: false,
  disableEnvoyListenerLog: false,
  defaultConfig: defaultProxyConfig,
  outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
  inboundTrafficPolicy: { mode: 'PASSTHROUGH' },
  enableAutoMtls: true,
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
  defaultServiceExportTo: ['*'],
  defaultVirtualServiceExportTo: ['*'],
  defaultDestinationRuleExportTo: ['*'],
  rootNamespace: 'istio-system',
  localityLbSetting: { enabled: true },
  h2UpgradePolicy: 'DO_NOT_UPGRADE',
  inboundClusterStatName: '',
  outboundClusterStatName: '',
  discoverySelectors: [],
  enablePrometheusMerge: true,
  extensionProviders: BUILT_IN_PROVIDERS,
  defaultHttpRetryPolicy: {
    attempts: 2,
    retryOn: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
  },
}

/** Reads a mesh config (the object, not the text) and lays it over `base`, {@link defaultMeshConfig} unless given. */
export function decodeMeshConfig(value: unknown, site: Site, base: MeshConfig = defaultMeshConfig): MeshConfig | undefined {
  const written = partialMeshConfig(value ?? {}, site)
  if (written === undefined) return undefined
  const { defaultConfig, extensionProviders, ...rest } = written
  const config: MeshConfig = { ...base, ...rest }
  if (defaultConfig !== undefined) config.defaultConfig = { ...base.defaultConfig, ...defaultConfig }
  if (extensionProviders !== undefined) {
    const names = new Set(extensionProviders.map(({ name }) => name))
    config.extensionProviders = [...extensionProviders, ...BUILT_IN_PROVIDERS.filter(({ name }) => !names.has(name))]
  }
  return config
}
