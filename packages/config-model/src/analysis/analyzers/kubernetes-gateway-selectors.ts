import type { MatchLabelsSelector, PolicyTargetReference } from '../../kinds/common.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'
const POLICIES = ['AuthorizationPolicy', 'RequestAuthentication', 'Telemetry', 'WasmPlugin'] as const

interface Policy {
  readonly selector?: MatchLabelsSelector
  readonly targetRef?: PolicyTargetReference
  readonly targetRefs?: readonly PolicyTargetReference[]
}

/** Policies that select the pods of a Kubernetes Gateway by labels: there only `targetRefs` counts. */
export const kubernetesGatewaySelectors: Analyzer = {
  name: 'k8sgateway.SelectorAnalyzer',
  summary: 'selectors that mean proxies of a Kubernetes Gateway',
  messages: ['IneffectiveSelector'],
  analyze(context, report) {
    for (const kind of POLICIES) {
      for (const policy of context.of(kind) as readonly ConfigObject<Policy>[]) {
        const { selector, targetRef, targetRefs } = policy.spec
        if (selector === undefined || targetRef !== undefined || (targetRefs ?? []).length > 0) continue
        for (const { labels } of context.workloads.in(policy.metadata.namespace).select(selector.matchLabels)) {
          const gateway = labels[GATEWAY_NAME]
          if (gateway !== undefined) report('IneffectiveSelector', policy, 'spec.selector', gateway)
        }
      }
    }
  },
}
