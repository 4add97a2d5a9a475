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
  /** Ends the wait: what is missing is in `waiting`. */
  readonly signal?: AbortSignal
}

interface Awaited {
  readonly session: Session
  readonly nodeId: string
  readonly target: number
}

/**
 * Resolves when every connected client has answered what is current now, or something newer. A type that a client never asked for
 * is not waited for; with no client at all it resolves at once.
 */
export function whenApplied(sessions: ReadonlySet<Session>, events: Events, options: AppliedOptions = {}): Promise<Applied> {
  const { nodeIds, signal } = options
  const open = new Set<Awaited>()
  for (const session of sessions) {
    const nodeId = session.nodeId
    if (nodeId !== undefined && (nodeIds?.includes(nodeId) ?? true)) open.add({ session, nodeId, target: session.wanted })
  }
  const applied: string[] = []
  const refused: Refusal[] = []
  const left: string[] = []
  const sweep = (): void => {
    for (const awaited of open) {
      const { session, nodeId, target } = awaited
      if (session.settled >= target) {
        const refusals = refusalsOf(session, nodeId)
        if (refusals.length === 0) applied.push(nodeId)
        else refused.push(...refusals)
      } else if (!sessions.has(session)) left.push(nodeId)
      else continue
      open.delete(awaited)
    }
  }
  return new Promise((resolve) => {
    let stop: Unsubscribe = () => {}
    const finish = (): void => {
      stop()
      signal?.removeEventListener('abort', finish)
      resolve({
        applied,
        refused,
        left,
        waiting: [...open].map(({ session, nodeId }) => ({ nodeId, typeUrls: owedBy(session) })),
      })
    }
    const check = (): void => {
      sweep()
      if (open.size === 0 || signal?.aborted) finish()
    }
    stop = events.subscribe((event) => {
      if (event.kind === 'settled' || event.kind === 'disconnected') check()
    })
    signal?.addEventListener('abort', finish)
    check()
  })
}

function refusalsOf(session: Session, nodeId: string): Refusal[] {
  const nacked = [...session.status.types.values()].filter((type) => type.state === 'NACKED')
  return nacked.map(({ typeUrl, nacked }) => {
    const { error, resources = [] } = nacked ?? {}
    return { nodeId, typeUrl, message: error?.message ?? '', resources }
  })
}

function owedBy(session: Session): readonly string[] {
  const owes = (type: TypeStatus): boolean => type.state === 'STALE' || type.state === 'NOT SENT'
  return [...session.status.types.values()].filter(owes).map((type) => type.typeUrl)
}
