import { ageOf } from '../../age.js'
import type { KubernetesGateway } from '../../kinds/gateway-api/gateway.js'
import type { Listener } from '../../kinds/gateway-api/listener.js'
import type { ListenerSet } from '../../kinds/gateway-api/listener-set.js'
import { compareText } from '../../sorted-list.js'
import { type Condition, type Verdict, withVerdicts } from '../status.js'

/** Why a listener loses to one that came before it. */
export type ConflictReason = 'HostnameConflict' | 'ProtocolConflict'

/** By `ListenerSet namespace/name/listener` or `KubernetesGateway …`. */
export type Conflicts = Readonly<Record<string, ConflictReason>>

export function conflictKey(owner: KubernetesGateway | ListenerSet, listener: string): string {
  return `${owner.kind} ${owner.metadata.namespace}/${owner.metadata.name}/${listener}`
}

/** Listeners that lose: those of the Gateway come first, then those of the sets, the oldest first (GEP-1713). A loser stands in nobody's way. */
export function conflictsOf(gateway: KubernetesGateway, sets: readonly ListenerSet[]): Conflicts {
  const conflicts: Record<string, ConflictReason> = {}
  const accepted: Listener[] = []
  for (const owner of [gateway, ...[...sets].sort(byAge)]) {
    for (const listener of owner.spec.listeners) {
      const placed = { ...listener, port: portOf(listener) ?? 0 }
      const prior = accepted.find((one) => !distinct(placed, one))
      if (prior === undefined) accepted.push(placed)
      else conflicts[conflictKey(owner, listener.name)] = reasonOf(placed, prior)
    }
  }
  return conflicts
}

function byAge(a: ListenerSet, b: ListenerSet): number {
  const [left, right] = [a.metadata, b.metadata]
  return ageOf(left)[0] - ageOf(right)[0] || compareText(`${left.namespace}/${left.name}`, `${right.namespace}/${right.name}`)
}

/** The port of a listener; a ListenerSet's HTTP and HTTPS listeners have one without saying so. Undefined: it must say it. */
export function portOf({ port = 0, protocol }: Listener): number | undefined {
  if (port !== 0) return port
  return protocol === 'HTTP' ? 80 : protocol === 'HTTPS' ? 443 : undefined
}

const L4 = ['TCP', 'UDP']
const BY_HOST = ['HTTP', 'HTTPS', 'TLS']

function distinct(a: Listener, b: Listener): boolean {
  if (a.port !== b.port) return true
  const [aL4, bL4] = [L4.includes(a.protocol), L4.includes(b.protocol)]
  const [aHost, bHost] = [BY_HOST.includes(a.protocol), BY_HOST.includes(b.protocol)]
  if ((aL4 && (bL4 || bHost)) || (aHost && bL4)) return false
  if (aHost && bHost) return hostOf(a) !== hostOf(b)
  return a.protocol !== b.protocol
}

function hostOf({ hostname = '' }: Listener): string {
  return hostname === '' ? '*' : hostname
}

function reasonOf(a: Listener, b: Listener): ConflictReason {
  return a.protocol !== b.protocol || L4.includes(a.protocol) ? 'ProtocolConflict' : 'HostnameConflict'
}

/** Conditions of a listener that lost. */
export function conflictConditions(
  reason: ConflictReason,
  existing: readonly Condition[],
  generation: number | undefined,
): readonly Condition[] {
  const message = 'Listener has a conflict with another listener attached to the same Gateway'
  const lost: Verdict = { reason, message, problem: { reason, message } }
  return withVerdicts(existing, { Accepted: lost, Programmed: lost, Conflicted: { reason, message } }, generation)
}
