import type { OriginIndex, Store } from '@heddle/config-model'
import { type ClientConfig, createKubernetesRegistry, electLeader, writeStatuses } from '@heddle/config-model/kubernetes'
import { followRegistry } from '@heddle/config-model/registries'
import type { Clock, Diagnostic, Logger, Unsubscribe, Watch } from '@heddle/runtime'

/** Where a control plane's configuration comes from, and goes on coming from. */
export interface ConfigSource {
  readonly diagnostics: Watch<readonly Diagnostic[]>
  /** The lines behind objects, where there are any. */
  readonly origins: OriginIndex
  close(): Promise<void> | void
}

/** Fills the store, keeps it up to date, and resolves when everything is there for the first time. */
export type OpenConfig = (store: Store, deps: { readonly clock: Clock; readonly logger?: Logger }) => Promise<ConfigSource>

export interface ClusterOptions {
  /** A `KubeConfig` of @kubernetes/client-node: see `loadClientConfig` of @heddle/config-model/kubernetes. */
  readonly config: ClientConfig
  /** Write statuses of Gateway API and Ingress objects back, from the one replica that holds the Lease; default: none does. */
  readonly writeStatus?: {
    /** Of this replica, different from all others'. */
    readonly identity: string
    /** Where the Lease {@link STATUS_LEASE} is. */
    readonly namespace: string
  }
  /** Changes that come within this many milliseconds are one batch; default 10. */
  readonly batchMs?: number
  /** Between attempts at the Lease, in milliseconds; default 2,000. */
  readonly leaseRetryMs?: number
}

/** Who holds it writes statuses. */
export const STATUS_LEASE = 'heddle-status-leader'

const NO_LINES: OriginIndex = { locate: () => undefined }

/** A Kubernetes cluster as the source: its objects are listed and watched. Never rejects: a server that is away is waited for, and told of in the diagnostics. */
export function clusterConfig(options: ClusterOptions): OpenConfig {
  const { config, batchMs } = options
  return async (store, { clock, logger }) => {
    const registry = createKubernetesRegistry({ config, clock, ...(batchMs === undefined ? {} : { batchMs }) })
    const followed = followRegistry(registry, { store })
    const untold = followed.diagnostics.subscribe((found) => {
      for (const { code, message } of found) if (code === 'config.registry') logger?.warn({}, message)
    })
    await followed.ready
    const stopWriting = writeElected(options, store, { clock, ...(logger === undefined ? {} : { logger }) })
    return {
      diagnostics: followed.diagnostics,
      origins: NO_LINES,
      async close() {
        untold()
        await stopWriting()
        followed.close()
      },
    }
  }
}

function writeElected(
  { config, writeStatus, leaseRetryMs }: ClusterOptions,
  store: Store,
  { clock, logger }: { readonly clock: Clock; readonly logger?: Logger },
): () => Promise<void> {
  if (writeStatus === undefined) return async () => {}
  let stop: Unsubscribe = () => {}
  const election = electLeader({
    ...writeStatus,
    config,
    clock,
    name: STATUS_LEASE,
    ...(leaseRetryMs === undefined ? {} : { retryMs: leaseRetryMs }),
    onError: (reason) => logger?.warn({ lease: STATUS_LEASE, reason }, 'the lease cannot be asked for'),
    changed(leading) {
      logger?.info({ lease: STATUS_LEASE }, leading ? 'writes statuses' : 'writes no statuses any more')
      stop()
      stop = leading
        ? writeStatuses({
            config,
            clock,
            statuses: store.collections.statuses,
            onError: (key, reason) => logger?.warn({ key, reason }, 'the status cannot be written'),
          })
        : () => {}
    },
  })
  return () => election.close()
}
