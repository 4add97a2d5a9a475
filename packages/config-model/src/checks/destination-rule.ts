import { into, refuse, type Site } from '../decode/site.js'
import { decodeExtensions } from '../kinds/destination-extensions.js'
import type { DestinationRule } from '../kinds/destination-rule.js'
import { CODE } from './code.js'
import { checkSubsetName } from './destination.js'
import { each } from './each.js'
import { checkExportTo } from './export-to.js'
import { checkWildcardDomain } from './host.js'
import { checkLabels, checkMatchLabels } from './labels.js'
import { checkTrafficPolicy } from './traffic-policy.js'

export function validateDestinationRule(rule: DestinationRule, at: Site): void {
  const { metadata, spec } = rule
  checkWildcardDomain(spec.host, into(at, 'host'))
  checkTrafficPolicy(spec.trafficPolicy, into(at, 'trafficPolicy'))
  const names = new Set<string>()
  each(spec.subsets, at, 'subsets', (subset, place) => {
    if (names.has(subset.name)) refuse(into(place, 'name'), CODE.duplicate, `duplicate subset names: ${subset.name}`)
    names.add(subset.name)
    checkSubsetName(subset.name, into(place, 'name'))
    checkLabels(subset.labels, place, 'labels')
    checkTrafficPolicy(subset.trafficPolicy, into(place, 'trafficPolicy'))
  })
  checkExportTo(spec.exportTo, metadata.namespace, at, { onlyOwn: spec.workloadSelector !== undefined })
  checkMatchLabels(spec.workloadSelector, at, 'workloadSelector')
  if (at.parent !== undefined) decodeExtensions(rule, at.parent)
}
