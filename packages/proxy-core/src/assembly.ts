import {
  type Clock,
  type Diagnostic,
  formatDiagnostic,
  type Logger,
  type MetricsRegistry,
  ok,
  type Random,
  type WatchSource,
} from '@heddle/runtime'
import type { ResourceType } from '@heddle/xds-types'
import { dumpConfig } from './admin/config-dump.js'
import type { AdminActions, AdminViews, ServerState } from './admin/page.js'
import { type AdminServer, answerAdmin, createAdminServer } from './admin/server.js'
import { createAdminViews } from './admin/views.js'
import type { ProxyBootstrap } from './bootstrap.js'
import type { CompiledCluster, Secret, SecretSource } from './config/compiled.js'
import type { DecodedFilter } from './config/discovered-filter.js'
import type { ExplainConfig } from './explain/explain.js'
import { defaultHttpFilters } from './filters/defaults.js'
import { createLivePath } from './live.js'
import type { SocketAddress } from './net/connection.js'
import { systemLookup } from './net/dns.js'
import { createTls } from './net/node-tls.js'
import { createSystemNetwork } from './net/socket.js'
import type { AccessLogSinks } from './observe/access-log.js'
import { createCollectorLogs } from './observe/collectors/collector-logs.js'
import { createDiscoveryStats } from './observe/discovery-stats.js'
import { createServerStats, type ServerStats } from './observe/server-stats.js'
import { type ProxyOptions, ProxyStartError } from './proxy-options.js'
import { runtimeOf } from './runtime.js'
import { createStaticSecrets, decodeSecret } from './secrets.js'
import { createSnapshotKeeper, type SnapshotKeeper } from './snapshot/snapshot-keeper.js'
import { serviceNameOf } from './state/compile-resources.js'
import { createCompilers } from './state/compilers.js'
import { type ConfigStore, createConfigStore } from './state/config-store.js'
import { createListenerManager, type ListenerManager } from './state/listener-manager.js'
import { createNamedValues } from './state/named-values.js'
import { RUNTIME_TYPE_URL, withRuntimeLayers } from './state/runtime-layers.js'
import { storeTypes } from './state/types.js'
import { startStatsSinks, tracingProviderOf } from './telemetry.js'
import type { UpstreamCluster } from './upstream/cluster.js'
import type { EndpointSet } from './upstream/endpoint.js'
import { createHash64 } from './upstream/hash.js'
import { createAdsClient } from './xds/ads.js'
import { AGENT_CLUSTER, createAgentSecrets } from './xds/agent-secrets.js'
import type { ApplyUpdate, XdsClient, XdsStatus } from './xds/client.js'
import { transportsOf } from './xds/connect.js'
import { createGrpcTransport } from './xds/grpc-transport.js'
import { serversOf } from './xds/server-config.js'
import { createStartUp } from './xds/start-up.js'

/** The choices that every part shares. */
export interface Setting {
  readonly options: ProxyOptions
  readonly bootstrap: ProxyBootstrap
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly stats: MetricsRegistry
  readonly sinks: AccessLogSinks
  readonly ready: WatchSource<boolean>
  state(): ServerState
  /** False once `/healthcheck/fail` was asked for. */
  healthy(): boolean
}

/** The parts of a proxy, put together. */
export interface Assembly {
  readonly listeners: ListenerManager
  readonly adminAddress: SocketAddress | undefined
  readonly views: AdminViews
  readonly xds: XdsStatus | undefined
  /** Binds the admin page, puts static resources into force, connects. */
  begin(actions: AdminActions): Promise<void>
  configDump(): unknown
  /** For explain. */
  readonly inForce: ExplainConfig
  close(): Promise<void>
}

const DRAIN_TIME_MS = 600_000

export async function assemble(setting: Setting): Promise<Assembly> {
  const { options, bootstrap, clock, logger, stats } = setting
  const { dynamic, node } = bootstrap
  const network = options.network ?? createSystemNetwork({ clock })
  const serverStats = createServerStats(stats)
  const agent = agentSecrets(setting)
  let client: XdsClient | undefined
  let store: ConfigStore
  let admin: AdminServer | undefined

  const runtime = runtimeOf(bootstrap.message)
  const live = createLivePath({
    ...setting,
    runtime,
    network,
    ...(options.codecs === 'node' && { codecs: (await import('./http/node/codecs.js')).nodeCodecs }),
    tls: options.tls ?? createTls(),
    lookup: options.lookup ?? systemLookup,
    node: {
      id: node.id ?? '',
      cluster: node.cluster ?? '',
      metadata: (node.metadata ?? {}) as Readonly<Record<string, unknown>>,
    },
    ...tracingProviderOf(bootstrap),
    zone: node.locality?.zone ?? '',
    routes: (name) => store.routes(name),
    scopes: {
      get current() {
        return store.scopes.current
      },
      subscribe: (changed) => store.scopes.subscribe(changed),
    },
    demand: {
      cluster: (name) => store.demand.cluster(name),
      virtualHost: (table, host) => store.demand.virtualHost(table, host),
      scope: (scope) => store.demand.scope(scope),
    },
    sessionAt: (address) => listeners.at(address),
  })
  const collectors = createCollectorLogs({ http: live.http, grpc: live.grpc, clock, stats, node })
  const statsSinks = startStatsSinks({ ...setting, own: options.statsSinks })
  const listeners = createListenerManager({
    ...{ network, clock, logger, start: live.start },
    drainTimeMs: options.drainTimeMs ?? DRAIN_TIME_MS,
  })
  const extensions = createNamedValues<DecodedFilter>()
  store = createConfigStore(
    {
      extensions,
      stats: createDiscoveryStats(stats),
      types: storeTypes,
      compile: createCompilers({
        ...setting,
        ...{ collectors, extensions, vhds: dynamic?.variant === 'delta' },
        filters: options.filters ?? defaultHttpFilters,
        hash64: await createHash64(),
        runtime,
        readFile: options.readFile,
        environment: options.environment,
        readBytes: options.readBytes,
      }),
      clusters: live.clusters,
      subscribe(typeUrl, add, drop) {
        if (add.includes('*')) client?.subscribeAll(typeUrl)
        else client?.subscribe(typeUrl, add, drop)
      },
      begin: (typeUrl) => client?.begin(typeUrl),
      secrets: [...[options.secrets, agent].filter((source) => source !== undefined), staticSecrets(setting)],
      ...{ clock, logger },
      initialFetchTimeoutMs: dynamic?.fetchTimeoutMs.listeners ?? 0,
      notInTime: (typeUrl) => serverStats.initFetchTimeout(typeUrl).inc(),
    },
    listeners,
  )
  const rtds = runtime.discovered
  const startUp = createStartUp({
    clock,
    runtime:
      rtds.length === 0
        ? undefined
        : {
            ask: () => client?.subscribe(RUNTIME_TYPE_URL, rtds, []),
            typeUrl: RUNTIME_TYPE_URL,
            timeoutMs: dynamic?.fetchTimeoutMs.runtime ?? 0,
          },
    clusters: dynamic?.clusters === true ? { timeoutMs: dynamic.fetchTimeoutMs.clusters } : undefined,
    listeners: dynamic?.listeners === true ? { timeoutMs: dynamic.fetchTimeoutMs.listeners } : undefined,
    notInTime: (typeUrl) => serverStats.initFetchTimeout(typeUrl).inc(),
    clusterTypeUrl: storeTypes.cluster.typeUrl,
    listenerTypeUrl: storeTypes.listener.typeUrl,
    warming: store.warming,
    subscribeAll: (typeUrl) => client?.subscribeAll(typeUrl),
  })
  const keeper = createKeeper(setting, store.records, (updates) => client?.restore(updates))
  client = createClient(setting, serverStats, startUp.watchUpdates(withRuntimeLayers(runtime, store.apply)), keeper)
  const views = createAdminViews({
    ...setting,
    runtime,
    version: options.version ?? 'heddle',
    store,
    listeners,
    clusters: live.clusters,
  })
  startUp.ready.subscribe((value) => setting.ready.set(value && setting.state() !== 'DRAINING'))

  return {
    listeners,
    get adminAddress() {
      return admin?.address
    },
    views,
    get xds() {
      return client?.status
    },
    async begin(actions) {
      if (bootstrap.admin !== undefined && options.adminElsewhere !== true)
        admin = await createAdminServer(bootstrap.admin.address, (method, url) => answerAdmin(method, url, views, actions))
      const rejections = await store.addStatic(bootstrap.clusters, bootstrap.listeners)
      if (rejections.length > 0) throw new ProxyStartError(rejections.map(({ name, message }) => `${name}: ${message}`))
      startUp.begin()
      client?.start()
      keeper?.begin()
    },
    configDump: () => dumpConfig(views),
    get inForce() {
      const cluster = (name: string): CompiledCluster | undefined => live.clusters.get(name)?.compiled
      return {
        listeners: listeners.listeners.map(({ listener }) => listener),
        routes: (name: string) => store.routes(name).current,
        scopes: store.scopes.current,
        clusters: cluster,
        endpoints: (name: string) => store.endpoints(serviceNameOf(cluster(name)) ?? '') ?? resolvedOf(live.clusters.get(name)),
      }
    },
    async close() {
      startUp.close()
      client?.close()
      await keeper?.close()
      agent?.close()
      await listeners.close()
      await Promise.all([live.flush(), collectors.flush()])
      statsSinks.close()
      live.clusters.close()
      await admin?.close()
    },
  }
}

function staticSecrets({ bootstrap, options }: Setting): SecretSource {
  const secrets: Secret[] = []
  const problems: Diagnostic[] = []
  for (const [index, message] of bootstrap.secrets.entries()) {
    const decoded = decodeSecret(message, `static_resources.secrets[${index}]`, options)
    if (decoded.ok) secrets.push(decoded.value)
    else problems.push(...decoded.diagnostics)
  }
  if (problems.length > 0) throw new ProxyStartError(problems.map(formatDiagnostic))
  return createStaticSecrets(secrets)
}

/** Where the bootstrap names Istio's agent, the workload's identity comes from there. */
function agentSecrets({ bootstrap, options, clock, random, logger }: Setting): ReturnType<typeof createAgentSecrets> | undefined {
  if (options.secrets !== undefined || !bootstrap.clusters.some(({ name }) => name === AGENT_CLUSTER)) return undefined
  const source = { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: AGENT_CLUSTER } }] } as const
  const servers = serversOf(source, bootstrap.clusters, options)
  if (!servers.ok) throw new ProxyStartError(servers.diagnostics.map(formatDiagnostic))
  const [transport] = servers.value.map(createGrpcTransport)
  if (transport === undefined) return undefined
  const node = { user_agent_name: 'heddle', ...bootstrap.node }
  return createAgentSecrets({ transport, node, clock, random, logger })
}

function createKeeper(
  { options, bootstrap, clock, logger }: Setting,
  records: ConfigStore['records'],
  restore: XdsClient['restore'],
): SnapshotKeeper | undefined {
  if (options.snapshot === undefined || bootstrap.dynamic === undefined) return undefined
  const { cluster, endpoints, extension, listener, scope, route, virtualHost } = storeTypes
  const types = [cluster, endpoints, extension, listener, scope, route, virtualHost] as readonly ResourceType<object>[]
  return createSnapshotKeeper({ store: options.snapshot, node: bootstrap.node.id ?? '', types, records, restore, clock, logger })
}

function createClient(
  setting: Setting,
  stats: ServerStats,
  apply: ApplyUpdate,
  keeper: SnapshotKeeper | undefined,
): XdsClient | undefined {
  const { bootstrap, options, clock, random, logger } = setting
  if (bootstrap.dynamic === undefined) return undefined
  const found = options.transport === undefined ? transportsOf(bootstrap, options) : ok([options.transport])
  if (!found.ok) throw new ProxyStartError(found.diagnostics.map(formatDiagnostic))
  return createAdsClient({
    ...{ transports: found.value, clock, random, logger },
    variant: bootstrap.dynamic.variant,
    node: { user_agent_name: 'heddle', ...bootstrap.node },
    async apply(update) {
      const rejections = await apply(update)
      const counter = rejections.length === 0 ? stats.updateSuccess(update.typeUrl) : stats.updateRejected(update.typeUrl)
      counter.inc()
      return rejections
    },
    onStatus(status) {
      stats.connected.set(status.connected ? 1 : 0)
      keeper?.onStatus(status)
    },
  })
}

/** What names have come to; of other kinds of clusters their configuration tells. */
function resolvedOf(cluster: UpstreamCluster | undefined): EndpointSet | undefined {
  if (cluster === undefined || !('dns' in cluster.compiled.discovery)) return undefined
  return { ...cluster.compiled.discovery.endpoints, endpoints: cluster.endpoints }
}
