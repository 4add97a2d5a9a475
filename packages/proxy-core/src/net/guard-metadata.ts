import type { CompiledFilterChain } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import type { DynamicMetadata } from '../matcher/value.js'

/** `known` with what a chain's guards leave beside it; undefined where there is nothing of either. */
export function withGuardMetadata(
  known: DynamicMetadata | undefined,
  { guards }: Pick<CompiledFilterChain, 'guards'>,
  facts: ConnectionFacts,
): DynamicMetadata | undefined {
  let all: Map<string, Readonly<Record<string, unknown>>> | undefined
  for (const guard of guards) {
    const left = guard.metadata?.(facts)
    if (left === undefined) continue
    const [namespace, values] = left
    all ??= new Map(known)
    all.set(namespace, { ...all.get(namespace), ...values })
  }
  return all ?? known
}
