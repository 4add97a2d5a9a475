import { equal } from '@heddle/runtime'
import type { CompiledFilterChain, CompiledListener, NetworkGuard } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'

/** What becomes of an open connection when its listener is replaced. */
export type Succession =
  /** It goes on under this chain. */
  | { readonly kind: 'adopted'; readonly chain: CompiledFilterChain }
  /** It would not be let in any more. */
  | { readonly kind: 'refused'; readonly by: NetworkGuard }
  /** Its bytes mean something else now: another transport socket, another protocol, no chain at all. */
  | { readonly kind: 'replaced' }

const REPLACED: Succession = { kind: 'replaced' }

/** `facts`: as `from` learned them, and what TLS told. Messages are compared, since what they were compiled to cannot be. */
export function successionOf(
  from: CompiledListener,
  chain: CompiledFilterChain,
  facts: ConnectionFacts,
  to: CompiledListener,
): Succession {
  const chosen = to.chainFor(facts)
  if (chosen === undefined) return REPLACED
  const by = refusingGuard(chosen, facts)
  if (by !== undefined) return { kind: 'refused', by }
  const goesOn =
    sameIntake(from, to) && sameTransport(chain, chosen) && sameProtocol(chain, chosen) && sameAuthorizers(chain, chosen)
  return goesOn ? { kind: 'adopted', chain: chosen } : REPLACED
}

/** The first guard that does not let a connection in. `judged` hears of each that was asked. */
export function refusingGuard(
  { guards }: CompiledFilterChain,
  facts: ConnectionFacts,
  judged?: (guard: NetworkGuard, facts: ConnectionFacts, allowed: boolean) => void,
): NetworkGuard | undefined {
  return guards.find((guard) => {
    const allowed = guard.allow(facts)
    judged?.(guard, facts, allowed)
    return !allowed
  })
}

/** A connection to `b` would have been accepted, and known, as it was by `a`. */
export function sameIntake(a: CompiledListener, b: CompiledListener): boolean {
  return (
    equal(a.address, b.address) &&
    equal(a.additionalAddresses, b.additionalAddresses) &&
    a.useOriginalDst === b.useOriginalDst &&
    a.transparent === b.transparent &&
    equal(a.listenerFilterMessages, b.listenerFilterMessages)
  )
}

/** The handshake of `a` is as good as that of `b`. */
export function sameTransport(a: CompiledFilterChain, b: CompiledFilterChain): boolean {
  return (a.tls === undefined) === (b.tls === undefined) && equal(a.transportSocket, b.transportSocket)
}

/** Nobody is asked again about a connection that is open. */
function sameAuthorizers({ authorizers: a }: CompiledFilterChain, { authorizers: b }: CompiledFilterChain): boolean {
  return equal(
    a.map(({ message }) => message),
    b.map(({ message }) => message),
  )
}

function sameProtocol({ terminal: a }: CompiledFilterChain, { terminal: b }: CompiledFilterChain): boolean {
  return a.kind === 'http_connection_manager' && b.kind === 'http_connection_manager' && a.codec === b.codec
}
