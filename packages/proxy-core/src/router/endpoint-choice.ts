import type { ForwardContext } from '../http/forward.js'
import { formatAddress } from '../net/address.js'
import { NO_HASH } from '../route/hash-policy.js'
import type { ForwardAction, RetryPolicy } from '../route/table.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { PickContext } from '../upstream/load-balancer.js'

/** Who is in such a health leaves a priority with nobody. */
const OUT: ReadonlySet<string> = new Set(['UNHEALTHY', 'DRAINING'])

/** Chooses an endpoint for each attempt of one request, in the light of those before it. */
export class EndpointChoice {
  readonly #cluster: UpstreamCluster
  readonly #context: ForwardContext
  readonly #policy: RetryPolicy | undefined
  readonly #hash: bigint | undefined
  /** What a hash policy gives to a client without its cookie. */
  setCookie: string | undefined
  #tried: Endpoint[] | undefined
  #priorities: number[] | undefined
  #attempts = 0

  constructor(cluster: UpstreamCluster, context: ForwardContext, policy: RetryPolicy | undefined, action: ForwardAction) {
    this.#cluster = cluster
    this.#context = context
    this.#policy = policy
    this.#hash = action.hash === NO_HASH ? undefined : this.#hashOf(action)
  }

  #hashOf({ hash }: ForwardAction): bigint | undefined {
    const { request, clientAddress } = this.#context
    return hash(request, clientAddress, (cookie) => {
      this.setCookie = cookie
    })
  }

  next(): Endpoint | undefined {
    const override = this.#attempts++ === 0 ? this.#override() : undefined
    if (override !== undefined) return override.endpoint
    const endpoint = this.#cluster.pick(this.#pickContext(), this.#context.connection.originalDestination)
    if (endpoint === undefined) return undefined
    if (this.#policy?.avoidPreviousHosts === true) (this.#tried ??= []).push(endpoint)
    if (this.#policy?.avoidPriorities !== undefined) (this.#priorities ??= []).push(endpoint.priority)
    return endpoint
  }

  #pickContext(): PickContext {
    const policy = this.#policy
    return {
      hash: this.#hash,
      head: this.#context.request,
      tried: this.#tried,
      rejects: this.#attempts > 1 ? policy?.rejectsHost : undefined,
      triedPriorities: this.#triedPriorities(),
      attempts: policy?.hostSelectionAttempts,
      metadataMatch: this.#context.decision.target.metadataMatch,
    }
  }

  /** previous_priorities: what was tried counts after every `update_frequency` attempts, until nothing else is left to try. */
  #triedPriorities(): ReadonlySet<number> | undefined {
    const every = this.#policy?.avoidPriorities
    if (every === undefined || this.#priorities === undefined) return undefined
    const tried = new Set(this.#priorities.slice(0, Math.floor(this.#priorities.length / every) * every))
    if (tried.size === 0 || this.#hasOthers(tried)) return tried
    this.#priorities = undefined
    return undefined
  }

  #hasOthers(tried: ReadonlySet<number>): boolean {
    const usable = (endpoint: Endpoint): boolean => !OUT.has(this.#cluster.healthStatus(endpoint))
    return this.#cluster.endpoints.some((endpoint) => !tried.has(endpoint.priority) && usable(endpoint))
  }

  /** A session has its endpoint, if it is there and in a health that allows it. Strict sessions go nowhere else. */
  #override(): { readonly endpoint: Endpoint | undefined } | undefined {
    const wanted = this.#context.entry.info.overrideHost
    if (wanted === undefined) return undefined
    const { overrideHostStatus } = this.#cluster.compiled
    const endpoint = this.#cluster.endpoints.find(({ address }) => formatAddress(address) === wanted.address)
    const usable = endpoint !== undefined && overrideHostStatus.has(this.#cluster.healthStatus(endpoint))
    if (usable) return { endpoint }
    return wanted.strict ? { endpoint: undefined } : undefined
  }
}
