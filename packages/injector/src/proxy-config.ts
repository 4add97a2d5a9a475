import { equal, fail, ok, problem, type Result } from '@heddle/runtime'
import { load } from 'js-yaml'

/** istio.mesh.v1alpha1.ProxyConfig in JSON; only what injection itself reads is typed. */
export interface ProxyConfigInput {
  interceptionMode?: 'REDIRECT' | 'TPROXY' | 'NONE'
  statusPort?: number
  holdApplicationUntilProxyStarts?: boolean
  proxyMetadata?: Record<string, string>
  image?: { imageType?: string }
  [field: string]: unknown
}

/** istio.mesh.v1alpha1.MeshConfig in JSON, as in the `mesh` key of ConfigMap `istio`; only what injection reads is typed. */
export interface MeshConfigInput {
  /** Default cluster.local. */
  trustDomain?: string
  /** Default 15001. */
  proxyListenPort?: number
  /** Default 15006. */
  proxyInboundListenPort?: number
  /** Default PASSTHROUGH. */
  inboundTrafficPolicy?: { mode?: 'PASSTHROUGH' | 'LOCALHOST' }
  /** Default true. */
  enablePrometheusMerge?: boolean
  defaultConfig?: ProxyConfigInput
  extensionProviders?: readonly { name?: string; opentelemetry?: { serviceAttributeEnrichment?: string } }[]
  [field: string]: unknown
}

// Fields of the proto in its order, with Istio's defaults; undefined has none.
const FIELDS: Readonly<Record<string, unknown>> = {
  configPath: './etc/istio/proxy',
  binaryPath: '/usr/local/bin/envoy',
  serviceCluster: 'istio-proxy',
  tracingServiceName: 'APP_LABEL_AND_NAMESPACE',
  drainDuration: '45s',
  discoveryAddress: 'istiod.istio-system.svc:15012',
  zipkinAddress: undefined,
  statsdUdpAddress: undefined,
  proxyAdminPort: 15000,
  controlPlaneAuthPolicy: 'MUTUAL_TLS',
  customConfigFile: undefined,
  statNameLength: 189,
  concurrency: undefined,
  proxyBootstrapTemplatePath: undefined,
  interceptionMode: 'REDIRECT',
  tracing: undefined,
  envoyAccessLogService: undefined,
  envoyMetricsService: undefined,
  proxyMetadata: {},
  runtimeValues: undefined,
  statusPort: 15020,
  extraStatTags: undefined,
  terminationDrainDuration: '5s',
  gatewayTopology: undefined,
  meshId: undefined,
  readinessProbe: undefined,
  proxyStatsMatcher: undefined,
  statsCompression: undefined,
  holdApplicationUntilProxyStarts: undefined,
  caCertificatesPem: undefined,
  image: undefined,
  privateKeyProvider: undefined,
  proxyHeaders: undefined,
  fileFlushInterval: undefined,
  fileFlushMinSizeKb: undefined,
  connectionSettings: undefined,
}

export const PROXY_CONFIG_ANNOTATION = 'proxy.istio.io/config'

/** The proxy config of a pod: the mesh's, with the annotation `proxy.istio.io/config` (YAML) laid over it; proxyMetadata is merged by key. */
export function podProxyConfig(mesh: MeshConfigInput, annotation: string | undefined): Result<ProxyConfigInput> {
  const base = mesh.defaultConfig ?? {}
  if (annotation === undefined) return ok(base)
  const refuse = (why: string): Result<ProxyConfigInput> =>
    fail(
      problem(
        'inject.invalid_annotation',
        `metadata.annotations["${PROXY_CONFIG_ANNOTATION}"]`,
        `The annotation ${PROXY_CONFIG_ANNOTATION} is no ProxyConfig: ${why}.`,
      ),
    )
  let own: unknown
  try {
    own = load(annotation)
  } catch (error) {
    return refuse(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
  if (own === null || own === undefined) return ok(base)
  if (typeof own !== 'object' || Array.isArray(own)) return refuse('it must be a YAML object')
  const unknown = Object.keys(own).find((field) => !Object.hasOwn(FIELDS, field))
  if (unknown !== undefined) return refuse(`there is no field ${unknown}`)
  const overlay = own as ProxyConfigInput
  const proxyMetadata = { ...base.proxyMetadata, ...overlay.proxyMetadata }
  return ok({ ...base, ...overlay, ...(Object.keys(proxyMetadata).length > 0 && { proxyMetadata }) })
}

/** What PROXY_CONFIG carries: JSON of all that differs from Istio's defaults. */
export function proxyConfigJson(config: ProxyConfigInput): string {
  const own: Record<string, unknown> = {}
  for (const [field, standard] of Object.entries(FIELDS)) {
    const value = config[field]
    if (value !== undefined && value !== null && !equal(value, standard)) own[field] = value
  }
  return JSON.stringify(own)
}
