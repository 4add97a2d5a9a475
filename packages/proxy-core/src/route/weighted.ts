import type { Random } from '@heddle/runtime'
import type { RequestHead, RouteTarget } from './table.js'

export interface WeightedTarget {
  readonly weight: number
  target(head: RequestHead): RouteTarget
}

/** Chooses by weight: by the number in `headerName`, modulo the total, where it is given, else by chance. */
export function chooseWeighted(
  targets: readonly WeightedTarget[],
  headerName: string,
): (head: RequestHead, random: Random) => RouteTarget {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0)
  return (head, random) => {
    let at =
      (headerName === '' ? undefined : fixedPlace(head.headers.getAll(headerName), total)) ?? Math.floor(random.next() * total)
    for (const { weight, target } of targets) {
      if (at < weight) return target(head)
      at -= weight
    }
    return targets[targets.length - 1]!.target(head)
  }
}

/** A header that came twice is no choice, as in Envoy: which of the two would count? */
function fixedPlace(values: readonly string[], total: number): number | undefined {
  const value = values.length === 1 ? values[0]! : ''
  return /^\d{1,20}$/.test(value) ? Number(BigInt(value) % BigInt(total)) : undefined
}
