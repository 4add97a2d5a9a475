import type { Unsubscribe } from '@heddle/runtime'
import type { Events } from './events.js'
import type { Session } from './session.js'
import type { TypeStatus } from './status.js'

/** A client that has refused what it should have. */
export interface Refusal {
  readonly nodeId: string
  readonly typeUrl: string
  readonly message: string
  /** Names of what was refused: those that the text speaks of, or all of the response. */
  readonly resources: readonly string[]
}

/** What became of the resource sets that were current when the barrier was asked for. */
export interface Applied {
  /** Nodes whose clients have accepted everything they subscribe to. */
  readonly applied: readonly string[]
  readonly refused: readonly Refusal[]
  /** Nodes whose stream ended before it had answered. */
  readonly left: readonly string[]
  /** Nodes that had not answered when the signal was aborted, with the types they owe; empty otherwise. */
  readonly waiting: readonly { readonly nodeId: string; readonly typeUrls: readonly string[] }[]
}

export interface AppliedOptions {
  /** Only these nodes; default all that are connected. */
  readonly nodeIds?: readonly string[]
  /**
   * The `version` of a set: waits until each client has answered that set or a newer one, though it may not have been given yet. Default: what
   * is current now.
   */
  readonly version?: string
  /** Ends the wait: what is missing is in `waiting`. */
  readonly signal?: AbortSignal
}

interface Awaited {
  readonly session: Session
  readonly nodeId: string
  /** The change that the client must have settled. */
  target(): number
}

/**
 * Resolves when every connected client has answered what is current now, or something newer. A type that a client never asked for
 * is not waited for; with no client at all it resolves at once.
 */
export function whenApplied(sessions: ReadonlySet<Session>, events: Events, options: AppliedOptions = {}): Promise<Applied> {
  const { signal } = options
  const open = awaitedOf(sessions, options)
  const applied: string[] = []
  const refused: Refusal[] = []
  const left: string[] = []
  const sweep = (awaited: Awaited): void => {
    const { session, nodeId, target } = awaited
    if ((session.exchange()?.progress.settled ?? 0) >= target()) {
      const refusals = refusalsOf(session, nodeId)
      if (refusals.length === 0) applied.push(nodeId)
      else refused.push(...refusals)
    } else if (!sessions.has(session)) left.push(nodeId)
    else return
    open.delete(session.streamId)
  }
  return new Promise((resolve) => {
    let stop: Unsubscribe = () => {}
    const finish = (): void => {
      stop()
      signal?.removeEventListener('abort', finish)
      const waiting = [...open.values()].map(({ session, nodeId }) => ({ nodeId, typeUrls: owedBy(session) }))
      resolve({ applied, refused, left, waiting })
    }
    stop = events.subscribe(({ kind, streamId }) => {
      if (kind !== 'settled' && kind !== 'disconnected') return
      const awaited = open.get(streamId)
      if (awaited === undefined) return
      sweep(awaited)
      if (open.size === 0) finish()
    })
    signal?.addEventListener('abort', finish)
    for (const awaited of [...open.values()]) sweep(awaited)
    if (open.size === 0 || signal?.aborted) finish()
  })
}

/** By stream id. */
function awaitedOf(sessions: ReadonlySet<Session>, { nodeIds, version }: AppliedOptions): Map<string, Awaited> {
  const open = new Map<string, Awaited>()
  for (const session of sessions) {
    const exchange = session.exchange()
    if (exchange === undefined || !(nodeIds?.includes(exchange.node.id) ?? true)) continue
    const { node, progress } = exchange
    const now = progress.wanted
    // A version that is still to come has no number yet; one that was superseded has a lower one than what is current.
    const target = version === undefined ? () => now : () => progress.wantedAt(version) ?? Number.POSITIVE_INFINITY
    open.set(session.streamId, { session, nodeId: node.id, target })
  }
  return open
}

function refusalsOf(session: Session, nodeId: string): Refusal[] {
  const nacked = [...session.status().types.values()].filter((type) => type.state === 'NACKED')
  return nacked.map(({ typeUrl, nacked }) => {
    const { error, resources = [] } = nacked ?? {}
    return { nodeId, typeUrl, message: error?.message ?? '', resources }
  })
}

function owedBy(session: Session): readonly string[] {
  const owes = (type: TypeStatus): boolean => type.state === 'STALE' || type.state === 'NOT SENT'
  return [...session.status().types.values()].filter(owes).map((type) => type.typeUrl)
}
