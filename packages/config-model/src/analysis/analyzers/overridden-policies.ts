import { oldestFirst } from '../../age.js'
import type { MatchLabelsSelector } from '../../kinds/common.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { formatSelector } from '../label-index.js'
import { type ConfigObject, friendlyName } from '../object.js'

type Selecting = ConfigObject<{ readonly selector?: MatchLabelsSelector }>

/** Policies of which one counts for a workload: of two for the same workloads, the older. */
export const overriddenPolicies: Analyzer = {
  name: 'heddle.OverriddenPolicyAnalyzer',
  summary: 'PeerAuthentications and ProxyConfigs that an older one of the same scope overrides',
  messages: ['OverriddenPolicy'],
  analyze(context, report) {
    for (const policies of [context.of('PeerAuthentication'), context.of('ProxyConfig')]) {
      const scopes = groupBy(policies as readonly Selecting[], ({ metadata, spec }) => {
        return `${metadata.namespace} ${formatSelector(spec.selector?.matchLabels)}`
      })
      for (const same of scopes.values()) {
        const [oldest, ...others] = oldestFirst(same)
        if (oldest === undefined) continue
        for (const other of others) report('OverriddenPolicy', other, '', friendlyName(other), friendlyName(oldest))
      }
    }
  },
}
