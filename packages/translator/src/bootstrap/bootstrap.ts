import type { MeshProxyConfig } from '@heddle/config-model'
import type { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { ADS_SOURCE, defined, typed } from '../message.js'
import type { ProxyDescriptor } from '../proxy.js'
import { healthListener, prometheusListener } from './listeners.js'
import { runtimeFlags } from './runtime.js'
import { loopbackCluster, pipeCluster, xdsCluster } from './static-clusters.js'
import { statsConfig } from './stats.js'

export interface BootstrapOptions {
  /** The proxy: its node tells the control plane all that translation reads. */
  readonly proxy: ProxyDescriptor
  readonly proxyConfig: MeshProxyConfig
  /** Unix socket of the agent's xDS proxy; default `etc/istio/proxy/XDS` below the working directory, by ProxyConfig.configPath. */
  readonly xdsSocket?: string
  /** Unix socket from which certificates come; default Istio's. */
  readonly sdsSocket?: string
  /** Default 15021. */
  readonly statusPort?: number
  /** Default 15090. */
  readonly prometheusPort?: number
}

/** What the proxy is: `envoy` is Istio's own or, with node metadata HEDDLE_STOCK_ENVOY, a stock one; `heddle` ours. */
export type BootstrapKind = 'envoy' | 'heddle'

const SDS_SOCKET = './var/run/secrets/workload-spiffe-uds/socket'
const ADMIN_LOG = {
  name: 'envoy.access_loggers.file',
  typed_config: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path: '/dev/null' }),
}

/**
 * The bootstrap with which pilot-agent starts Envoy for a node: everything over ADS from the agent's socket, certificates from its SDS socket, admin,
 * readiness and Prometheus ports. For our own proxy the same without what only Envoy has (runtime, tags of statistics, its extensions).
 */
export function bootstrapFor(kind: BootstrapKind, options: BootstrapOptions): Bootstrap {
  const { proxy, proxyConfig, sdsSocket = SDS_SOCKET } = options
  const { xdsSocket = `${proxyConfig.configPath}/XDS` } = options
  const admin = { socket_address: { address: loopback(proxy), port_value: proxyConfig.proxyAdminPort } }
  const base: Bootstrap = {
    node: nodeOf(proxy, proxyConfig),
    admin:
      kind === 'heddle'
        ? { address: admin }
        : { access_log: [ADMIN_LOG], profile_path: '/var/lib/istio/data/envoy.prof', address: admin },
    dynamic_resources: {
      lds_config: ADS_SOURCE,
      cds_config: ADS_SOURCE,
      ads_config: {
        api_type: 'DELTA_GRPC',
        set_node_on_first_message_only: true,
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
    },
  }
  const secrets = pipeCluster('sds-grpc', sdsSocket)
  if (kind === 'heddle') return { ...base, static_resources: { clusters: [secrets, xdsCluster(xdsSocket)] } }
  return { ...base, static_resources: staticResources(options, secrets, xdsCluster(xdsSocket)), ...onlyEnvoy(proxyConfig, proxy) }
}

function staticResources(options: BootstrapOptions, ...ours: ReturnType<typeof pipeCluster>[]): Bootstrap['static_resources'] {
  const { proxy, proxyConfig, statusPort = 15021, prometheusPort = 15090 } = options
  const address = loopback(proxy)
  return {
    clusters: [
      loopbackCluster('prometheus_stats', address, proxyConfig.proxyAdminPort),
      loopbackCluster('agent', address, proxyConfig.statusPort),
      ...ours,
    ],
    listeners: [
      prometheusListener(wildcard(proxy), prometheusPort, proxyConfig.statsCompression !== false),
      healthListener(wildcard(proxy), statusPort),
    ],
  }
}

function onlyEnvoy(config: MeshProxyConfig, proxy: ProxyDescriptor): Bootstrap {
  const connections = Number(
    config.proxyMetadata['ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS'] ??
      config.runtimeValues?.['overload.global_downstream_max_connections'],
  )
  const limit = typed('envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig', {
    max_active_downstream_connections: String(Number.isInteger(connections) && connections > 0 ? connections : 2 ** 31 - 1),
  })
  return {
    application_log_config: { log_format: { text_format: '%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t' } },
    layered_runtime: {
      layers: [
        { name: 'global config', static_layer: runtimeFlags(config) },
        { name: 'admin', admin_layer: {} },
      ],
    },
    bootstrap_extensions: [
      {
        name: 'envoy.bootstrap.internal_listener',
        typed_config: typed('envoy.extensions.bootstrap.internal_listener.v3.InternalListener', { buffer_size_kb: 64 }),
      },
    ],
    stats_config: statsConfig(config, proxy),
    overload_manager: {
      resource_monitors: [{ name: 'envoy.resource_monitors.global_downstream_max_connections', typed_config: limit }],
    },
    cluster_manager: { enable_deferred_cluster_creation: true },
  }
}

/** Istio's node: all that the control plane knows of a proxy. */
export function nodeOf(proxy: ProxyDescriptor, proxyConfig: MeshProxyConfig): Node {
  const { id, namespace, labels, locality, metadata } = proxy
  const [ip = '127.0.0.1'] = proxy.addresses
  const name = id.endsWith(`.${namespace}`) ? id : `${id}.${namespace}`
  return {
    id: `${proxy.type}~${ip}~${name}~${proxy.dnsDomain}`,
    cluster: proxyConfig.serviceCluster ?? `${labels['app'] ?? 'istio-proxy'}.${namespace}`,
    locality: defined({
      region: locality.region || undefined,
      zone: locality.zone || undefined,
      sub_zone: locality.subzone || undefined,
    }),
    metadata: defined({
      LABELS: labels,
      NAMESPACE: namespace,
      SERVICE_ACCOUNT: proxy.serviceAccount,
      CLUSTER_ID: proxy.cluster,
      NETWORK: proxy.network || undefined,
      ISTIO_VERSION: proxy.version,
      INTERCEPTION_MODE: proxy.interceptionMode,
      INSTANCE_IPS: proxy.addresses.join(','),
      HTTP_PROXY_PORT: proxy.httpProxyPort === undefined ? undefined : String(proxy.httpProxyPort),
      UNPRIVILEGED_POD: proxy.unprivileged ? 'true' : undefined,
      HEDDLE_STOCK_ENVOY: proxy.stockEnvoy ? 'true' : undefined,
      ...metadata,
    }),
  }
}

const isV6Only = ({ addresses }: ProxyDescriptor): boolean => addresses.length > 0 && addresses.every((a) => a.includes(':'))
const loopback = (proxy: ProxyDescriptor): string => (isV6Only(proxy) ? '::1' : '127.0.0.1')
const wildcard = (proxy: ProxyDescriptor): string => (isV6Only(proxy) ? '::' : '0.0.0.0')
