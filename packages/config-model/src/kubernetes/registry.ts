import { type Clock, createDebounce, type Debounce, type Random, systemRandom } from '@heddle/runtime'
import { decodeResource } from '../decode/resource.js'
import type { AnyResource, KindName } from '../kinds/index.js'
import { LABELS } from '../names/labels.js'
import { pause } from '../registries/pause.js'
import type { Registry, RegistrySink } from '../registries/registry.js'
import { keyOf, type ResourceKey } from '../resource.js'
import { type ClientConfig, createApiServer } from './api-server.js'
import { type ApiResource, discover } from './discovery.js'
import { type KubernetesObject, listWatch, type Watcher } from './list-watch.js'

export interface KubernetesOptions {
  /** A `KubeConfig` of @kubernetes/client-node. */
  readonly config: ClientConfig
  readonly clock: Clock
  /** Chance for the pauses after failures; default {@link systemRandom}. */
  readonly random?: Random
  /** Default {@link WATCHED_KINDS}. */
  readonly kinds?: readonly KindName[]
  /** Name of the cluster, when it is another than the store's own: its Services, slices, Pods, Nodes and Namespaces join those of the same name. */
  readonly cluster?: string
  /** Changes that come within this many milliseconds are one batch; default 10. */
  readonly batchMs?: number
  /** The server is asked this often for kinds that it did not have, in milliseconds; default 30,000. */
  readonly discoverMs?: number
}

/** What a mesh is made of. The workload kinds (Deployment and so on) are not: only analyzers read them. */
export const WATCHED_KINDS: readonly KindName[] = [
  ...(['VirtualService', 'DestinationRule', 'Gateway', 'ServiceEntry', 'Sidecar', 'WorkloadEntry', 'WorkloadGroup'] as const),
  ...(['EnvoyFilter', 'ProxyConfig', 'PeerAuthentication', 'RequestAuthentication', 'AuthorizationPolicy'] as const),
  ...(['Telemetry', 'WasmPlugin', 'TrafficExtension'] as const),
  ...(['Service', 'EndpointSlice', 'Pod', 'Namespace', 'Node', 'Secret', 'ConfigMap', 'Ingress', 'IngressClass'] as const),
  ...(['GatewayClass', 'KubernetesGateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const),
  ...(['ReferenceGrant', 'BackendTLSPolicy'] as const),
]

/**
 * The objects of a cluster: each kind is listed, then watched. Kinds whose CustomResourceDefinition is not there yet are looked for now and then. An
 * object that Istio would refuse keeps its last good version.
 */
export function createKubernetesRegistry(options: KubernetesOptions): Registry {
  return {
    name: 'Kubernetes',
    follow(sink) {
      const abort = new AbortController()
      void createFollower(options, sink, abort.signal).run()
      return () => abort.abort()
    },
  }
}

interface Change {
  readonly key: ResourceKey
  /** undefined: removed. */
  readonly resource: AnyResource | undefined
}

/** The last good version of each object of a kind. */
type Known = Map<ResourceKey, AnyResource>

interface Follower {
  run(): Promise<void>
}

function createFollower(options: KubernetesOptions, sink: RegistrySink, signal: AbortSignal): Follower {
  const { config, clock, kinds = WATCHED_KINDS, batchMs = 10 } = options
  const api = createApiServer(config)
  const known = new Map<KindName, Known>()
  /** Kinds whose first list is still to come; while there are some, nothing is given. */
  const unlisted = new Set<KindName>()
  const failing = createFailures(sink)
  let ready = false

  const changes: Debounce<Change> = createDebounce<Change>({
    clock,
    quietMs: batchMs,
    maxMs: batchMs * 10,
    run: (batch) => sink.change(batchOf(batch)),
  })
  signal.addEventListener('abort', () => changes.dispose(), { once: true })
  const becomeReady = (): void => {
    if (ready || unlisted.size > 0) return
    ready = true
    sink.replace([...known.values()].flatMap((ofKind) => [...ofKind.values()]))
  }
  const follow = (resource: ApiResource): void => {
    const ofKind: Known = new Map()
    known.set(resource.kind, ofKind)
    if (!ready) unlisted.add(resource.kind)
    const changed = (change: Change): void => {
      if (ready) changes.push(change)
    }
    const listed = (): void => {
      unlisted.delete(resource.kind)
      becomeReady()
    }
    const watcher = { ...watcherOf(resource, ofKind, sink, options.cluster, changed, listed), failing: failing(resource.plural) }
    const { random = systemRandom } = options
    const type = { apiVersion: resource.apiVersion, kind: resource.writtenAs }
    // A signal of its own: dozens of kinds would listen to the one.
    void listWatch({ api, clock, random, path: `${resource.base}/${resource.plural}`, type }, watcher, AbortSignal.any([signal]))
  }
  const lookFor = async (): Promise<void> => {
    const missing = new Set(kinds.filter((kind) => !known.has(kind)))
    if (missing.size === 0) return
    // All are taken up before the first answers, so that readiness means all of them.
    for (const resource of (await discover(api, missing, signal)).values()) follow(resource)
    becomeReady()
  }
  return { run: () => lookAgain(lookFor, failing(''), options, signal) }
}

/** Looks for kinds that were not there, until aborted. */
async function lookAgain(
  look: () => Promise<void>,
  failing: (reason: string | undefined) => void,
  { clock, discoverMs = 30_000 }: KubernetesOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let wait = discoverMs
    try {
      await look()
      failing(undefined)
    } catch (error) {
      wait = Math.min(1000, discoverMs)
      if (!signal.aborted) failing(error instanceof Error ? error.message : String(error))
    }
    await pause(clock, wait, signal)
  }
}

/** Tells a sink the first of the things that fail. */
function createFailures(sink: RegistrySink): (what: string) => (reason: string | undefined) => void {
  const failures = new Map<string, string>()
  return (what) => (reason) => {
    if (failures.get(what) === reason) return
    if (reason === undefined) failures.delete(what)
    else failures.set(what, reason)
    sink.failing([...failures.values()][0])
  }
}

/** Keeps `known` as the server has it, each object in its last good version. */
function watcherOf(
  resource: ApiResource,
  known: Known,
  sink: RegistrySink,
  cluster: string | undefined,
  changed: (change: Change) => void,
  listed: () => void,
): Omit<Watcher, 'failing'> {
  const keyFor = ({ metadata }: KubernetesObject): ResourceKey =>
    `${resource.kind} ${resource.namespaced ? (metadata.namespace ?? 'default') : ''}/${metadata.name}`
  const put = (object: KubernetesObject): void => {
    const result = decodeResource(object)
    const problems = result.diagnostics.filter(({ severity }) => severity === 'error')
    sink.report(keyFor(object), problems)
    if (!result.ok || !result.value.known) return
    const decoded = placedIn(cluster, result.value.resource)
    known.set(keyFor(object), decoded)
    changed({ key: keyOf(decoded), resource: decoded })
  }
  const drop = (key: ResourceKey): void => {
    sink.report(key, [])
    const old = known.get(key)
    known.delete(key)
    if (old !== undefined) changed({ key: keyOf(old), resource: undefined })
  }
  return {
    listed(objects) {
      const there = new Set(objects.map(keyFor))
      for (const key of [...known.keys()]) if (!there.has(key)) drop(key)
      for (const object of objects) put(object)
      listed()
    },
    changed: put,
    removed: (object) => drop(keyFor(object)),
  }
}

function placedIn(cluster: string | undefined, resource: AnyResource): AnyResource {
  if (cluster === undefined) return resource
  const annotations = { ...resource.metadata.annotations, [LABELS.cluster]: cluster }
  return { ...resource, metadata: { ...resource.metadata, annotations } }
}

// The last word on a key counts.
function batchOf(changes: readonly Change[]): { set: readonly AnyResource[]; remove: readonly ResourceKey[] } {
  const last = new Map(changes.map(({ key, resource }) => [key, resource]))
  return {
    set: [...last.values()].filter((resource) => resource !== undefined),
    remove: [...last].flatMap(([key, resource]) => (resource === undefined ? [key] : [])),
  }
}
