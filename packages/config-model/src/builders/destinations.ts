import type { Draft } from './written.js'

/** One entry of a route: where to, and how much of the traffic. */
export interface DraftDestination {
  readonly destination: { readonly host: string; readonly subset?: string; readonly port?: { readonly number: number } }
  readonly weight?: number
}

export interface DestinationOptions {
  /** Where the service has several. */
  readonly port?: number
}

/** A route to the host of a DestinationRule, or to one of its subsets: another name does not compile. */
export function to<N extends string>(
  rule: Draft<'DestinationRule', N>,
  subset?: NoInfer<N>,
  { port }: DestinationOptions = {},
): DraftDestination {
  const host = (rule.spec as { readonly host: string }).host
  return {
    destination: {
      host,
      ...(subset === undefined ? {} : { subset }),
      ...(port === undefined ? {} : { port: { number: port } }),
    },
  }
}

/** A route that shares traffic among subsets, in percent. `build` refuses a sum that is not 100. */
export function split<N extends string>(
  rule: Draft<'DestinationRule', N>,
  percent: { readonly [S in NoInfer<N>]?: number },
  options: DestinationOptions = {},
): readonly DraftDestination[] {
  return Object.entries(percent).map(([subset, weight]) => ({ ...to(rule, subset as N, options), weight: weight as number }))
}
