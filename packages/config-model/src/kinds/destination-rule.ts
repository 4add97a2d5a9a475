import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'
import type { TrafficPolicy } from './traffic-policy.js'

/** networking.istio.io DestinationRule. */
export interface DestinationRuleSpec {
  host: string
  trafficPolicy?: TrafficPolicy
  subsets?: readonly Subset[]
  exportTo?: readonly string[]
  workloadSelector?: MatchLabelsSelector
}

export type DestinationRule = Resource<'DestinationRule', DestinationRuleSpec>

export interface Subset {
  name: string
  labels?: Readonly<Record<string, string>>
  trafficPolicy?: TrafficPolicy
}
