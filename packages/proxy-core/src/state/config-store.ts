import { type Clock, createWatch, type Logger, type Result, type Watch } from '@heddle/runtime'
import type { ResourceRef, ResourceType } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration, ScopedRouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { CompiledCluster, CompiledListener, HttpManager, Secret, SecretSource } from '../config/compiled.js'
import type { DecodedFilter } from '../config/discovered-filter.js'
import type { DiscoveryStats } from '../observe/discovery-stats.js'
import type { RouteDemand } from '../route/demand.js'
import type { RouteScope, RouteScopes } from '../route/scope.js'
import type { RouteTable } from '../route/table.js'
import { chainSecrets } from '../secrets.js'
import type { EndpointSet } from '../upstream/endpoint.js'
import type { ApplyUpdate } from '../xds/client.js'
import { rejectionOf } from '../xds/nack.js'
import type { ReceivedUpdate, Rejection } from '../xds/protocol.js'
import type { Need } from '../xds/warming.js'
import { createAwaited } from './awaited.js'
import { createDemands } from './demands.js'
import type { ListenerManager } from './listener-manager.js'
import { createNamedValues, type NamedValues } from './named-values.js'
import { needOf, patienceFor, secretNeed } from './needs.js'
import { recordSecrets } from './recorded-secrets.js'
import { createReferences, type SubscriptionChange } from './references.js'
import { createScopeSet, tellScopes } from './scope-set.js'
import { createValueSets } from './value-sets.js'
import { createVirtualHostSet } from './virtual-host-set.js'
import { createWarmedSet, type ResourceRecord, type WarmedSet } from './warmed-set.js'

/** The resource types that a proxy takes. */
export interface StoreTypes {
  readonly cluster: ResourceType<Cluster>
  readonly endpoints: ResourceType<ClusterLoadAssignment>
  readonly listener: ResourceType<Listener>
  readonly route: ResourceType<RouteConfiguration>
  readonly scope: ResourceType<ScopedRouteConfiguration>
  readonly virtualHost: ResourceType<VirtualHost>
  readonly extension: ResourceType<TypedExtensionConfig>
  readonly secret: ResourceType<SecretMessage>
}

type HasCluster = (name: string) => boolean

/** How messages become what the data path reads. Each is given the secrets that exist now or later; `hasCluster`: see CompileDeps. */
export interface StoreCompilers {
  cluster(message: Cluster, secrets: SecretSource): Result<CompiledCluster>
  listener(message: Listener, secrets: SecretSource, hasCluster?: HasCluster): Result<CompiledListener>
  route(message: RouteConfiguration, secrets: SecretSource, hasCluster?: HasCluster): Result<RouteTable>
  scope(message: ScopedRouteConfiguration, secrets: SecretSource, hasCluster?: HasCluster): Result<RouteScope>
  extension(message: TypedExtensionConfig, secrets: SecretSource): Result<DecodedFilter>
  endpoints(message: ClusterLoadAssignment, previous: EndpointSet | undefined): Result<EndpointSet>
  secret(message: SecretMessage): Result<Secret>
}

/** Where clusters in force go. */
export interface ClusterSink {
  /** In place of the one of the same name. `endpoints`: of an EDS cluster. */
  set(cluster: CompiledCluster, endpoints: Watch<EndpointSet | undefined> | undefined): void
  remove(name: string): void
}

export interface ConfigStoreOptions {
  types: StoreTypes
  compile: StoreCompilers
  clusters: ClusterSink
  /** Told of names to ask the management server for. */
  subscribe: SubscriptionChange
  /** Asks for a type without names. */
  begin(typeUrl: string): void
  /** Configs of ECDS, as compiled listeners watch them. */
  extensions: NamedValues<DecodedFilter>
  stats: DiscoveryStats
  /** Of the bootstrap and of options, before SDS. */
  secrets: readonly SecretSource[]
  clock: Clock
  logger: Logger
  /** initial_fetch_timeout of what does not say its own; 0: none. */
  initialFetchTimeoutMs: number
  /** A resource of the type was waited for in vain: initial_fetch_timeout is over. */
  notInTime(typeUrl: string): void
}

/** All configuration in force, whether it came with the bootstrap or over xDS. */
export interface ConfigStore {
  readonly apply: ApplyUpdate
  addStatic(clusters: readonly Cluster[], listeners: readonly Listener[]): Promise<readonly Rejection[]>
  /** The route table of an RDS name. */
  routes(name: string): Watch<RouteTable | undefined>
  /** Those of SRDS. */
  readonly scopes: Watch<RouteScopes>
  /** Routes that are asked for as requests come. */
  readonly demand: RouteDemand
  /** The endpoints of an EDS service name. */
  endpoints(serviceName: string): EndpointSet | undefined
  /** Resources that wait for others, by type. */
  readonly warming: Watch<{ readonly clusters: number; readonly listeners: number }>
  /** Secrets that something in force uses and that are there. */
  secrets(): readonly Secret[]
  /** By type URL. */
  records(): ReadonlyMap<string, readonly ResourceRecord[]>
}

type Handler = (update: ReceivedUpdate) => readonly Rejection[] | Promise<readonly Rejection[]>

export function createConfigStore(options: ConfigStoreOptions, listeners: ListenerManager): ConfigStore {
  const { types, compile, clock, logger } = options
  const endpoints = createNamedValues<EndpointSet>()
  const routes = createNamedValues<RouteTable>()
  const sds = createNamedValues<Secret>()
  const secrets = recordSecrets(chainSecrets([...options.secrets, sds]))
  const secretsOf = new WeakMap<object, readonly string[]>()
  const warming = createWatch({ clusters: 0, listeners: 0 })

  const timeoutMs = options.initialFetchTimeoutMs
  const { extensions } = options
  const managers = new Map<string, readonly HttpManager[]>()
  const hold = (owner: string, refs: readonly ResourceRef[]): void => references.set(owner, refs)
  const hosts = createVirtualHostSet({
    ...{ typeUrl: types.virtualHost.typeUrl, routes, hold, clock, logger, timeoutMs },
    compile: (message) => compile.route(message, secrets, hasCluster),
    begin: () => options.begin(types.virtualHost.typeUrl),
  })
  const onDemandClusters = createDemands({ typeUrl: types.cluster.typeUrl, hold, clock, timeoutMs })
  const valueSets = createValueSets(options, { endpoints, routes, sds, extensions }, secrets, {
    hosts,
    expected(name) {
      const discovered = [...managers.values()].flat().flatMap((manager) => manager.discovered)
      return discovered.filter((each) => each.name === name).map(({ typeNames }) => typeNames)
    },
  })
  const references = createReferences((typeUrl, add, drop) => {
    const remote = (name: string): boolean => typeUrl !== types.secret.typeUrl || secrets.owns?.(name) !== true
    options.subscribe(typeUrl, add.filter(remote), drop.filter(remote))
    for (const name of drop) valueSets.get(typeUrl)?.forget(name)
  })

  const hasCluster = (name: string): boolean => clusterSet.has(name)
  const compiling = <M, T extends object>(run: (message: M, source: SecretSource, hasCluster: HasCluster) => Result<T>) => {
    return (message: M): Result<T> => {
      secrets.take()
      const result = run(message, secrets, hasCluster)
      if (result.ok) secretsOf.set(result.value, secrets.take())
      return result
    }
  }
  const awaited = {
    [types.endpoints.typeUrl]: endpoints,
    [types.route.typeUrl]: routes,
    [types.extension.typeUrl]: extensions,
  }
  const needsOf = (refs: readonly ResourceRef[], value: object): Need[] => {
    const patience = (ref: ResourceRef) => patienceFor(ref, options.notInTime)
    const secretRef = (name: string): ResourceRef =>
      refs.find((ref) => ref.name === name && ref.typeUrl === types.secret.typeUrl) ?? { typeUrl: types.secret.typeUrl, name }
    return [
      ...refs.flatMap((ref) => (ref.typeUrl === types.scope.typeUrl ? [scopes.need] : needOf(ref, awaited, patience(ref)))),
      ...(secretsOf.get(value) ?? []).map((name) => secretNeed(name, secrets.watch(name), sds, patience(secretRef(name)))),
    ]
  }
  const holding = <M>(type: ResourceType<M>) => {
    return (owner: string, message: M | undefined): void => hold(owner, message === undefined ? [] : type.references(message))
  }
  const shared = { clock, logger, timeoutMs }
  const scopes = createScopeSet({
    ...{ ...shared, type: types.scope, hold, needs: needsOf },
    compile: compiling(compile.scope),
    routes: createAwaited(routes, clock, timeoutMs),
  })

  const countScopes = (reloaded = 0): void => tellScopes([...managers.values()].flat(), scopes, options.stats, reloaded)
  scopes.scopes.subscribe(() => countScopes(1))

  const clusterSet = createWarmedSet<Cluster, CompiledCluster>({
    ...shared,
    typeUrl: types.cluster.typeUrl,
    kind: types.cluster.shortName,
    compile: compiling(compile.cluster),
    needs: (_, message, value) => needsOf(types.cluster.references(message), value),
    hold: holding(types.cluster),
    activate(name, cluster) {
      const { discovery } = cluster
      onDemandClusters.found(name)
      options.clusters.set(cluster, discovery.kind === 'EDS' ? endpoints.watch(discovery.serviceName) : undefined)
      return undefined
    },
    deactivate: (name) => options.clusters.remove(name),
    onWarming: (count) => warming.set({ ...warming.current, clusters: count }),
  })
  const listenerSet = createWarmedSet<Listener, CompiledListener>({
    ...shared,
    typeUrl: types.listener.typeUrl,
    kind: types.listener.shortName,
    compile: compiling(compile.listener),
    needs(name, message, value) {
      managers.set(name, managersIn(value))
      const discovered = managersIn(value).flatMap((manager) => manager.discovered)
      for (const { name, typeNames } of discovered) {
        const there = extensions.get(name)
        if (there !== undefined && !typeNames.includes(there.typeName)) options.stats.filter(name).configConflict.inc()
      }
      countScopes()
      const waits = ({ typeUrl, name }: ResourceRef): boolean =>
        typeUrl !== types.extension.typeUrl || discovered.some((each) => each.name === name && each.waits)
      return needsOf(types.listener.references(message).filter(waits), value)
    },
    hold: holding(types.listener),
    activate: (name, listener) =>
      listeners.set(listener).then(
        () => undefined,
        (error: unknown) => ({ name, message: bindFailure(listener, error) }),
      ),
    deactivate(name) {
      managers.delete(name)
      listeners.remove(name)
    },
    onWarming: (count) => warming.set({ ...warming.current, listeners: count }),
  })

  const warmedSets = new Map<string, WarmedSet<object>>([
    [types.cluster.typeUrl, clusterSet as WarmedSet<object>],
    [types.listener.typeUrl, listenerSet as WarmedSet<object>],
  ])
  const handlers = new Map<string, Handler>([
    ...[...warmedSets].map(([typeUrl, set]) => [typeUrl, applyTo(set)] as const),
    ...[...valueSets].map(([typeUrl, set]) => [typeUrl, applyTo(set)] as const),
    [types.scope.typeUrl, (update) => scopes.apply(update, applyTo(scopes.set))],
    [types.virtualHost.typeUrl, hosts.apply],
  ])
  /** What is asked for between updates goes out at once. */
  const demanding = (ask: () => Promise<void> | undefined): Promise<void> | undefined => {
    const wait = ask()
    references.flush()
    return wait
  }

  return {
    async apply(update) {
      const handler = handlers.get(update.typeUrl)
      if (handler === undefined) return []
      if (update.nonce === '') {
        hosts.restored()
        if (update.typeUrl === types.route.typeUrl) for (const { name } of update.resources) scopes.restored(name)
      }
      if (update.typeUrl === types.cluster.typeUrl) for (const name of update.removed) onDemandClusters.missing(name)
      const pending = handler(update)
      references.flush()
      const rejections = await pending
      listeners.closeLeft()
      references.flush()
      return rejections
    },
    async addStatic(clusters, staticListeners) {
      const pending: (undefined | Rejection | Promise<Rejection | undefined>)[] = []
      for (const message of clusters) pending.push(clusterSet.apply(message.name ?? '', '', message, 'static'))
      for (const message of staticListeners) pending.push(listenerSet.apply(nameOfStatic(message), '', message, 'static'))
      references.flush()
      const outcomes = await Promise.all(pending)
      return outcomes.filter((rejection) => rejection !== undefined)
    },
    routes: (name) => routes.watch(name),
    scopes: scopes.scopes,
    demand: {
      cluster: (name) => demanding(() => onDemandClusters.ask(name)),
      virtualHost: (table, host) => demanding(() => hosts.demand(table, host)),
      scope(scope) {
        const wait = demanding(() => scopes.demand(scope))
        countScopes()
        return wait
      },
    },
    endpoints: (serviceName) => endpoints.get(serviceName),
    warming,
    secrets: () => [...secrets.names()].map((name) => secrets.watch(name).current).filter((secret) => secret !== undefined),
    records() {
      const others = [[types.scope.typeUrl, scopes] as const, [types.virtualHost.typeUrl, hosts] as const]
      return new Map([...warmedSets, ...valueSets, ...others].map(([typeUrl, set]) => [typeUrl, set.records()]))
    },
  }
}

/** What the two kinds of sets have in common for an update. */
interface Target {
  apply(name: string, version: string, message: object): undefined | Rejection | Promise<Rejection | undefined>
  refuse(rejection: Rejection, version: string): void
  remove?(name: string): void
  markAbsent?(name: string): void
}

/** Removals first: a listener of a new name may take over a socket that is given up. */
function applyTo(target: Target): Handler {
  return async (update) => {
    for (const name of update.removed) {
      target.remove?.(name)
      target.markAbsent?.(name)
    }
    const seen = new Set<string>()
    const outcomes: (undefined | Rejection | Promise<Rejection | undefined>)[] = []
    for (const { name, version, message } of update.resources) {
      if (seen.has(name) && name !== '') outcomes.push({ name, message: 'two resources of one response have this name' })
      else if (message.ok) outcomes.push(target.apply(name, version, message.value))
      else {
        const rejection = rejectionOf(name, message.diagnostics)
        target.refuse(rejection, version)
        outcomes.push(rejection)
      }
      seen.add(name)
    }
    const settled = await Promise.all(outcomes)
    return settled.filter((rejection) => rejection !== undefined)
  }
}

function managersIn({ filterChains, defaultFilterChain }: CompiledListener): readonly HttpManager[] {
  const chains = defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain]
  return chains.flatMap(({ terminal }) => (terminal.kind === 'http_connection_manager' ? [terminal] : []))
}

function bindFailure(listener: CompiledListener, error: unknown): string {
  const { address, port } = listener.address
  const reason = error instanceof Error ? error.message : String(error)
  return `cannot listen on ${address}:${port}: ${reason}`
}

/** A static listener without a name is known by its address. */
function nameOfStatic(listener: Listener): string {
  if (listener.name !== undefined && listener.name !== '') return listener.name
  const socket = listener.address?.socket_address
  return socket === undefined ? (listener.address?.pipe?.path ?? '') : `${socket.address ?? ''}_${socket.port_value ?? 0}`
}
