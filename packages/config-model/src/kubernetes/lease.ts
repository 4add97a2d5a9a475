import { type Clock, type Random, systemRandom, type Unsubscribe } from '@heddle/runtime'
import { pause } from '../registries/pause.js'
import { ApiError, type ApiServer, type ClientConfig, createApiServer } from './api-server.js'

export interface LeaderElectionOptions {
  /** A `KubeConfig` of @kubernetes/client-node; its account needs get, create and update of `leases` in the namespace. */
  readonly config: ClientConfig
  readonly clock: Clock
  /** Default {@link systemRandom}. */
  readonly random?: Random
  readonly namespace: string
  /** Of the Lease (coordination.k8s.io/v1), which is made when it is not there. */
  readonly name: string
  /** Of this replica, different from all others'. */
  readonly identity: string
  /** Others take a lease that was not renewed for so long. Default 15 s. */
  readonly leaseMs?: number
  /** A leader that could not renew for so long stops to be one; less than `leaseMs`. Default 10 s. */
  readonly renewMs?: number
  /** Between attempts, with up to a fifth more by chance. Default 2 s. */
  readonly retryMs?: number
  /** Told whether this replica leads, whenever that changes. */
  readonly changed: (leading: boolean) => void
  /** Told why the lease could not be asked for; it is tried again. */
  readonly onError?: (reason: string) => void
}

export interface LeaderElection {
  readonly leading: boolean
  /** Stops to lead, and gives the lease back, so that another replica need not wait for it. */
  close(): Promise<void>
}

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string }
  readonly spec?: LeaseSpec
}

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/**
 * Elects one of several replicas by a Lease, as Kubernetes' own controllers do: who holds it renews it, others take it when its holder has been silent
 * for its duration by their own clocks, so that clocks need not agree. kubernetes.io/docs/concepts/architecture/leases
 */
export function electLeader(options: LeaderElectionOptions): LeaderElection {
  const {
    clock,
    random = systemRandom,
    leaseMs = 15_000,
    renewMs = 10_000,
    retryMs = 2_000,
    changed,
    onError = () => {},
  } = options
  const abort = new AbortController()
  const lease = createLease(createApiServer(options.config), { ...options, leaseMs })
  let leading = false
  let expiry: Unsubscribe = () => {}
  const lead = (now: boolean): void => {
    expiry()
    if (now) expiry = clock.after(renewMs, () => lead(false))
    if (leading === now) return
    leading = now
    changed(now)
  }
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      const attempt = limited(clock, renewMs / 2, abort.signal)
      try {
        const held = await lease.hold(attempt.signal)
        if (!abort.signal.aborted && (held || leading)) lead(held)
      } catch (error) {
        // Who leads goes on until the lease can have run out.
        if (!abort.signal.aborted) onError(error instanceof Error ? error.message : String(error))
      }
      attempt.done()
      await pause(clock, retryMs * (1 + random.next() / 5), abort.signal)
    }
  }
  const running = run()
  return {
    get leading() {
      return leading
    },
    async close() {
      const held = leading
      lead(false)
      abort.abort()
      await running
      const release = limited(clock, renewMs / 2)
      if (held) await lease.release(release.signal).catch((error: Error) => onError(error.message))
      release.done()
    },
  }
}

/** A signal that also ends after a time. */
function limited(clock: Clock, ms: number, outer?: AbortSignal): { readonly signal: AbortSignal; done(): void } {
  const abort = new AbortController()
  const stop = (): void => abort.abort(new Error(`no answer within ${ms} ms`))
  const cancel = clock.after(ms, stop)
  outer?.addEventListener('abort', stop)
  return {
    signal: abort.signal,
    done() {
      cancel()
      outer?.removeEventListener('abort', stop)
    },
  }
}

interface HeldLease {
  /** Takes or renews the lease; false: another has it. */
  hold(signal: AbortSignal): Promise<boolean>
  release(signal: AbortSignal): Promise<void>
}

function createLease(
  api: ApiServer,
  { clock, namespace, name, identity, leaseMs }: LeaderElectionOptions & { readonly leaseMs: number },
): HeldLease {
  const base = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
  const path = `${base}/${encodeURIComponent(name)}`
  /** When this replica first saw the lease as it is now. */
  let seen = { version: '', at: 0 }
  const micro = (): string => new Date(clock.now()).toISOString().replace('Z', '000Z')
  const object = (spec: LeaseSpec, resourceVersion?: string): unknown => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec,
  })
  const mine = (before: LeaseSpec): LeaseSpec => {
    const now = micro()
    const renewed = before.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: renewed ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before.leaseTransitions ?? 0) + (renewed ? 0 : 1),
    }
  }
  const isTaken = ({ metadata, spec = {} }: Lease): boolean => {
    const version = metadata.resourceVersion ?? ''
    if (version !== seen.version) seen = { version, at: clock.monotonic() }
    const { holderIdentity = '', leaseDurationSeconds = leaseMs / 1000 } = spec
    if (holderIdentity === '' || holderIdentity === identity) return false
    return clock.monotonic() - seen.at < leaseDurationSeconds * 1000
  }
  return {
    async hold(signal) {
      const lease = await unless(404, api.get<Lease>(path, signal))
      if (lease === undefined)
        return (await unless(409, api.post(base, object(mine({ leaseTransitions: -1 })), signal))) !== undefined
      if (isTaken(lease)) return false
      const { spec = {}, metadata } = lease
      return (await unless(409, api.put(path, object(mine(spec), metadata.resourceVersion), signal))) !== undefined
    },
    async release(signal) {
      const lease = await unless(404, api.get<Lease>(path, signal))
      if (lease?.spec?.holderIdentity !== identity) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: micro() }
      await unless(409, api.put(path, object(spec, lease.metadata.resourceVersion), signal))
    },
  }
}

/** undefined for that answer: the object is not there, or somebody was faster. */
async function unless<T>(status: number, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiError && error.status === status) return undefined
    throw error
  }
}
