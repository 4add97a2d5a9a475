import type { MeshSnapshot, Store } from '@heddle/config-model'
import {
  type Clock,
  createWatch,
  DEFAULT_TRUST_DOMAIN,
  fail,
  formatSpiffeId,
  type Logger,
  type MetricsRegistry,
  ok,
  systemClock,
  type Watch,
} from '@heddle/runtime'
import { createTranslator, type PilotFeatures, pilotFeatures, proxyFromNode, type Translator } from '@heddle/translator'
import {
  type Admit,
  ANONYMOUS,
  createXdsServer,
  type NodeInfo,
  type PeerIdentity,
  requireNodeIdentity,
  type XdsServer,
} from '@heddle/xds-server'
import type { ResourceSet } from '@heddle/xds-types'
import type { JwksFetcher } from './jwks-fetcher.js'
import { debouncePushes } from './push-debounce.js'

export interface ControlPlaneOptions {
  readonly store: Store
  /**
   * Peers that have proved who they are may only be their own node; default true. Peers of a plaintext listener have proved nothing and are
   * let in as any node, as on istiod's port 15010: bind that one to a trusted network.
   */
  readonly checkIdentity?: boolean
  /** istiod's switches (PILOT_*), read from an environment; default: all as istiod has them, so changes gather for 100 ms before proxies hear of them. */
  readonly features?: PilotFeatures
  /** Keys of RequestAuthentications that name a jwksUri or only an issuer: see createJwksFetcher. Default: none are known, and every token of theirs is refused. */
  readonly jwks?: (changed: () => void) => JwksFetcher
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: MetricsRegistry
}

/** Store -> translation -> xDS. Transports are added by whoever serves it. */
export interface ControlPlane {
  readonly xds: XdsServer
  readonly snapshots: Watch<MeshSnapshot>
  readonly features: PilotFeatures
  /** The last revision that every connected proxy has answered, with an ACK or a NACK. */
  readonly settled: number
  close(): void
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { store, checkIdentity = true, features = pilotFeatures({}), clock = systemClock, logger, metrics } = options
  const snapshots = snapshotsOf(store)
  const keys = options.jwks?.(() => translator.update(store.snapshot()))
  const translator = createTranslator(store.snapshot(), { features, ...(keys === undefined ? {} : { jwks: keys.jwks }) })
  const xds = createXdsServer({
    resources: (node, identity) => resourcesFor(translator, node, identity),
    admit: checkIdentity ? admitOwnNode(() => store.snapshot().meshConfig.trustDomain) : admitKnownNode,
    clock,
    ...(logger === undefined ? {} : { logger }),
    ...(metrics === undefined ? {} : { metrics }),
  })
  const count = metrics && countConfig(metrics)
  count?.(store.snapshot())
  let settled = 0
  const settle = async (revision: number): Promise<void> => {
    await xds.applied()
    settled = Math.max(settled, revision)
  }
  const stop = debouncePushes({
    store,
    clock,
    afterMs: features.debounceAfter,
    maxMs: features.debounceMax,
    endpoints: features.debounceEndpoints,
    ...(metrics === undefined ? {} : { metrics }),
    push() {
      const snapshot = store.snapshot()
      count?.(snapshot)
      translator.update(snapshot)
      void settle(snapshot.revision)
    },
  })
  return {
    xds,
    snapshots,
    features,
    get settled() {
      return settled
    },
    close() {
      stop()
      keys?.close()
      xds.close()
    },
  }
}

/** Istio's names. */
function countConfig(metrics: MetricsRegistry): (snapshot: MeshSnapshot) => void {
  const services = metrics.gauge('pilot_services', 'Total services known to pilot.').labels()
  const virtualServices = metrics.gauge('pilot_virt_services', 'Total virtual services known to pilot.').labels()
  return (snapshot) => {
    services.set(snapshot.services.length)
    virtualServices.set(snapshot.list('VirtualService').length)
  }
}

/** A store's snapshots as a watch. */
export function snapshotsOf(store: Store): Watch<MeshSnapshot> {
  return {
    get current() {
      return store.snapshot()
    },
    subscribe: store.subscribe,
  }
}

function resourcesFor(translator: Translator, node: NodeInfo, identity: PeerIdentity): Watch<ResourceSet | undefined> {
  const proxy = proxyFromNode(node)
  return proxy.ok
    ? translator.watch(proxy.value, { authenticated: identity.id !== ANONYMOUS.id })
    : createWatch<ResourceSet | undefined>(undefined)
}

/** The SPIFFE ID that a node claims by metadata NAMESPACE and SERVICE_ACCOUNT. */
export function identityOfNode({ metadata }: NodeInfo, trustDomain: string = DEFAULT_TRUST_DOMAIN): string | undefined {
  const { NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount } = metadata ?? {}
  if (typeof namespace !== 'string' || typeof serviceAccount !== 'string') return undefined
  return formatSpiffeId({ trustDomain, namespace, serviceAccount })
}

/** Whoever sends a node that cannot be read hears why, instead of waiting for ever. */
const admitKnownNode: Admit = (node) => {
  const proxy = proxyFromNode(node)
  return proxy.ok ? ok(undefined) : fail(...proxy.diagnostics)
}

function admitOwnNode(trustDomain: () => string): Admit {
  const sameIdentity = requireNodeIdentity((node) => identityOfNode(node, trustDomain()))
  return (node, identity) => {
    const known = admitKnownNode(node, identity)
    return known.ok && identity.id !== ANONYMOUS.id ? sameIdentity(node, identity) : known
  }
}
