import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  ok,
  type Result,
  silentLogger,
  systemClock,
  type Unsubscribe,
  type Watch,
} from '@heddle/runtime'
import type { ResourceSet, ResourceType, VersionedResource } from '@heddle/xds-types'
import { resourceTypes } from '@heddle/xds-types/known'
import { type Admit, ANONYMOUS, type Authorize, type PeerIdentity } from './access.js'
import { createAdmission } from './admission.js'
import { type Applied, type AppliedOptions, whenApplied } from './applied.js'
import { type Consistency, createConsistencyCheck } from './consistency.js'
import { createEvents, type XdsEvent } from './events.js'
import { type Fetched, type FetchRequest, fetchOnce } from './fetch.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { recordMetrics } from './metrics.js'
import type { NodeInfo } from './node.js'
import type { Lookup } from './on-demand.js'
import { createDeltaProtocol } from './protocol/delta.js'
import { createSotwProtocol } from './protocol/sotw.js'
import { createPushScheduler } from './push-scheduler.js'
import { createQuarantine } from './quarantine.js'
import { createViews } from './resource-view.js'
import { createSession, type Session } from './session.js'
import type { SessionContext } from './session-options.js'
import type { StreamStatus } from './status.js'
import { type CloseStatus, STATUS, type StreamHandler, type StreamTransport } from './transport.js'
import { createTypeCatalog } from './type-catalog.js'
import { DELTA_CODEC, SOTW_CODEC } from './wire.js'

export interface XdsServerOptions {
  /**
   * What a node gets, as it changes. Called once per stream, after the node was admitted; the watch is subscribed to for as long as
   * the stream lives, so it may compute on demand. While it is undefined the node waits.
   */
  readonly resources: (node: NodeInfo, identity: PeerIdentity) => Watch<ResourceSet | undefined>
  /**
   * Whether an empty first request of a type asks for everything (the legacy wildcard). Undefined, and the default: for listeners and clusters, as the
   * protocol says. False for those too suits gRPC's clients, which unsubscribe by an empty list; true for VHDS gives a node its hosts at once.
   */
  readonly wildcardWhenEmpty?: (typeUrl: string, node: NodeInfo) => boolean | undefined
  /** Lets nodes in that do not say who they are; their id is ''. Default false: INVALID_ARGUMENT. */
  readonly nodesWithoutId?: boolean
  /** Whether the peer may be that node. Default: yes. */
  readonly admit?: Admit
  /** Which resources a node may see. Default: all that `resources` gives it. */
  readonly authorize?: Authorize
  /** Finds what a client asks for and `resources` does not give it; see {@link createOnDemandCache}. Default: it does not exist. */
  readonly lookup?: Lookup
  /** What becomes of a set whose parts do not fit together; default `off`. */
  readonly consistency?: Consistency
  /**
   * Whether a resource that one client refuses is taken back for all that hold its group, while the rest goes out: they have the last version that
   * was accepted, or none. Default false, since a single client that refuses what is good then decides for the others.
   */
  readonly quarantine?: boolean
  /** Types besides those of @heddle/xds-types, or instead of them. */
  readonly types?: readonly ResourceType<object>[]
  /** `control_plane.identifier` in every response. Default `heddle`. */
  readonly identifier?: string
  /** How long newer content of a type waits for the answer to older; milliseconds, default 10,000. */
  readonly ackTimeoutMs?: number
  /**
   * How long a cluster that is gone stays for a client that still asks for it by name, as gRPC's do while calls may go to it; milliseconds, default
   * 2,000; 0: no longer than routes lead to it. A client that lets go of it is not kept waiting, and those that ask for all clusters never are.
   */
  readonly removalGraceMs?: number
  /** Pushes made in one turn of the event loop; default 50. */
  readonly pushesPerTurn?: number
  /** Over {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  readonly logger?: Logger
  /**
   * While it is false new streams end with UNAVAILABLE and go elsewhere: a server that has not read its configuration yet would else keep them
   * waiting. Default: always true.
   */
  readonly ready?: Watch<boolean>
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal
  /** Gets the `pilot_*` metrics of the server. */
  readonly metrics?: MetricsRegistry
}

/** How a stream comes in. */
export interface StreamStart {
  readonly variant: 'sotw' | 'delta'
  readonly transport: StreamTransport
  /** As the transport has proved it; default anonymous. */
  readonly identity?: PeerIdentity
  /** Only this type, as the per-type services do; default any (ADS). */
  readonly typeUrl?: string
}

export interface XdsServer extends AsyncDisposable {
  /** Open streams, oldest first. */
  status(): Iterable<StreamStatus>
  /** What the client of a stream has been sent and not been told to drop, by type URL; empty for a stream that is gone. */
  sent(streamId: string): ReadonlyMap<string, readonly VersionedResource[]>
  subscribe(listener: (event: XdsEvent) => void): Unsubscribe
  /**
   * A barrier: resolves when every connected client has answered what is current now, or the set with a `version`; names who refused it, who left
   * and, when its signal ends it, who still owes an answer.
   */
  applied(options?: AppliedOptions | string): Promise<Applied>
  /** `control_plane.identifier` */
  readonly identifier: string
  /** One answer without a stream, for clients that poll; see {@link answerRest}. */
  fetch(request: FetchRequest): Result<Fetched>
  /** What a transport calls for every new stream: `@heddle/xds-server/grpc`, or a test. */
  accept(start: StreamStart): StreamHandler
  /** Ends all streams with UNAVAILABLE, so that clients go elsewhere; new ones are refused. */
  close(): void
}

const SHUTTING_DOWN: CloseStatus = { code: STATUS.unavailable, message: 'the xDS server is shutting down' }

const NOT_READY: CloseStatus = { code: STATUS.unavailable, message: 'the xDS server is not ready yet' }

export function createXdsServer(options: XdsServerOptions): XdsServer {
  const { clock = systemClock, logger = silentLogger, identifier = 'heddle' } = options
  const sessions = new Set<Session>()
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const admission = createAdmission(limits, clock)
  const events = createEvents(logger)
  const catalog = createTypeCatalog([...resourceTypes, ...(options.types ?? [])])
  if (options.metrics !== undefined) recordMetrics(options.metrics, events)
  const views = createViews(catalog.encode)
  const quarantine = options.quarantine === true ? createQuarantine(views) : undefined
  const context: SessionContext = {
    clock,
    logger,
    events,
    identifier,
    scheduler: createPushScheduler({ clock, ...(options.pushesPerTurn === undefined ? {} : { perTurn: options.pushesPerTurn }) }),
    views,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    removalGraceMs: options.removalGraceMs ?? 2_000,
    limits,
    resources: quarantine === undefined ? options.resources : (...who) => quarantine.watch(options.resources(...who)),
    quarantine,
    ruleOf: catalog.ruleOf,
    wildcardWhenEmpty: options.wildcardWhenEmpty,
    nodesWithoutId: options.nodesWithoutId ?? false,
    admit: options.admit ?? (() => ok(undefined)),
    authorize: options.authorize,
    lookup: options.lookup,
    consistency: options.consistency ?? 'off',
    check: createConsistencyCheck(views, catalog.ruleOf),
    closed(session) {
      if (sessions.delete(session as Session)) admission.leave((session as Session).identity)
    },
  }
  // The start time keeps nonces of an earlier run of this server from matching (xds-protocol 23).
  const runId = clock.now().toString(36)
  let streams = 0
  let closed = false

  const server: XdsServer = {
    identifier,
    fetch: (request) => fetchOnce(context, request),
    *status() {
      for (const session of sessions) yield session.status()
    },
    sent: (streamId) => [...sessions].find((session) => session.streamId === streamId)?.sent() ?? new Map(),
    subscribe: events.subscribe,
    applied: (asked) => whenApplied(sessions, events, typeof asked === 'string' ? { version: asked } : asked),
    accept({ variant, transport, identity = ANONYMOUS, typeUrl: onlyType }) {
      const common = { context, streamId: `${runId}.${++streams}`, identity, transport, onlyType }
      const session: Session =
        variant === 'sotw'
          ? createSession({ ...common, variant, codec: SOTW_CODEC, createProtocol: createSotwProtocol })
          : createSession({ ...common, variant, codec: DELTA_CODEC, createProtocol: createDeltaProtocol })
      const unready = options.ready?.current === false ? NOT_READY : undefined
      const full = closed ? SHUTTING_DOWN : (unready ?? admission.enter(identity))
      if (full === undefined) sessions.add(session)
      else session.refuse(full)
      return session
    },
    close() {
      closed = true
      for (const session of [...sessions]) session.close(SHUTTING_DOWN)
    },
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
  options.signal?.addEventListener('abort', server.close, { once: true })
  if (options.signal?.aborted === true) server.close()
  return server
}
