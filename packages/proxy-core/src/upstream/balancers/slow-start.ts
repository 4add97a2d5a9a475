import type { LoadBalancerDeps } from '../load-balancer.js'
import type { WeightedEndpoint } from './chooser.js'

/** Envoy's SlowStartConfig: an endpoint that has just become healthy gets its share little by little. */
export interface SlowStart {
  readonly windowMs: number
  /** 1 by default: the share grows with time; above 1 faster at first. */
  readonly aggression: number
  /** From 0 to 1; 0.1 by default. */
  readonly minWeight: number
}

/** What is left of an endpoint's weight, from 0 to 1. */
export function slowStartFactor({ windowMs, aggression, minWeight }: SlowStart, healthyForMs: number): number {
  if (healthyForMs >= windowMs) return 1
  return Math.max((Math.max(healthyForMs, 1) / windowMs) ** (1 / aggression), minWeight)
}

/** The weight of the moment. */
export function weightNow(
  { endpoint, weight }: WeightedEndpoint,
  slowStart: SlowStart | undefined,
  { healthyForMs }: LoadBalancerDeps,
): number {
  if (slowStart === undefined || healthyForMs === undefined) return weight
  return weight * slowStartFactor(slowStart, healthyForMs(endpoint))
}
