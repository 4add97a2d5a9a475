import { validateDestinationRule } from '../checks/destination-rule.js'
import { fields } from '../decode/fields.js'
import { listOf, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'
import { matchLabelsSelector, textMap, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'
import type { TrafficPolicy } from './traffic-policy.js'
import { trafficPolicy } from './traffic-policy.js'

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

export const destinationRule: Kind<DestinationRule> = defineKind<DestinationRule>({
  name: 'DestinationRule',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<DestinationRuleSpec>(
    {
      host: text,
      trafficPolicy,
      subsets: listOf(fields<Subset>({ name: text, labels: textMap, trafficPolicy }, { defaults: { name: '' } })),
      exportTo: texts,
      workloadSelector: matchLabelsSelector,
    },
    { defaults: { host: '' } },
  ),
  validate: validateDestinationRule,
})
