import type { Random } from '@heddle/runtime'
import type { ClusterWeight, RequestHead, RouteTarget } from './table.js'

export interface WeightedTarget extends ClusterWeight {
  target(head: RequestHead): RouteTarget
}

export interface WeightedOptions {
  readonly headerName: string
  readonly hashOf?: ((head: RequestHead) => bigint | undefined) | undefined
  /** The weights are the runtime's, and another at any time. */
  readonly changing: boolean
}

/** Chooses by weight: by the number in `headerName`, or else by the request's hash, modulo the total; where there is neither, by chance. */
export function chooseWeighted(
  targets: readonly WeightedTarget[],
  { headerName, hashOf, changing }: WeightedOptions,
): (head: RequestHead, random: Random) => RouteTarget {
  const atFirst = sumOf(targets)
  return (head, random) => {
    const total = changing ? sumOf(targets) : atFirst
    if (total === 0) return { cluster: '' } // only the runtime can have brought it there
    const fixed = headerName === '' ? hashOf?.(head) : fixedPlace(head.headers.getAll(headerName))
    let at = fixed === undefined ? Math.floor(random.next() * total) : Number(fixed % BigInt(total))
    for (const { weight, target } of targets) {
      if (at < weight) return target(head)
      at -= weight
    }
    return targets[targets.length - 1]!.target(head)
  }
}

const sumOf = (targets: readonly ClusterWeight[]): number => targets.reduce((sum, { weight }) => sum + weight, 0)

/** A header that came twice is no choice, as in Envoy: which of the two would count? */
function fixedPlace(values: readonly string[]): bigint | undefined {
  const value = values.length === 1 ? values[0]! : ''
  return /^\+?\d{1,20}$/.test(value) ? BigInt(value.replace('+', '')) : undefined
}
