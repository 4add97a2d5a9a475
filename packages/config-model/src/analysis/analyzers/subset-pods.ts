import type { Subset } from '../../kinds/destination-rule.js'
import { LABELS, selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import type { HostTarget } from '../service-hosts.js'
import type { Workload } from '../workloads.js'

type Labels = Readonly<Record<string, string>>

/** DestinationRules for hosts that nobody has, and subsets that select nothing. */
export const subsetPods: Analyzer = {
  name: 'destinationrule.SubsetSelectPodAnalyzer',
  summary: 'DestinationRules of unknown hosts, and subsets that select no pods',
  messages: ['UnknownDestinationRuleHost', 'DestinationRuleSubsetNotSelectPods'],
  analyze(context, report) {
    const nodes = new Map(context.of('Node').map(({ metadata }) => [metadata.name, metadata.labels]))
    for (const rule of context.of('DestinationRule')) {
      const { host, exportTo } = rule.spec
      const target = context.services.find(host, rule.metadata.namespace, exportTo)
      if (target === undefined) {
        report('UnknownDestinationRuleHost', rule, 'spec.host', host)
        continue
      }
      rule.spec.subsets?.forEach((subset, s) => {
        if (!selectsSomething(subset, target, context, nodes))
          report('DestinationRuleSubsetNotSelectPods', rule, `spec.subsets[${s}]`, subset.name)
      })
    }
  },
}

function selectsSomething(
  { labels = {} }: Subset,
  target: HostTarget,
  context: AnalysisContext,
  nodes: ReadonlyMap<string, Labels>,
): boolean {
  const own = target.service?.spec.selector ?? target.entry?.spec.workloadSelector?.labels
  const scope = own === undefined ? context.workloads : context.workloads.in(target.namespace)
  // What the node adds cannot be looked up in the index of the pod's own labels.
  if (scope.select(own).some((workload) => selects(labels, withTopology(workload, nodes)))) return true
  const endpoints = [
    ...(target.entry?.spec.endpoints ?? []),
    ...context
      .of('WorkloadEntry')
      .flatMap(({ metadata, spec }) =>
        metadata.namespace === target.namespace && (own === undefined || selects(own, spec.labels ?? {})) ? [spec] : [],
      ),
  ]
  return endpoints.some((endpoint) => selects(labels, endpoint.labels ?? {}))
}

const TOPOLOGY = [LABELS.region, LABELS.zone, LABELS.subzone]

// The registry adds the place of its node to the labels of a pod.
function withTopology({ labels, spec }: Workload, nodes: ReadonlyMap<string, Labels>): Labels {
  const node = spec.nodeName === undefined ? undefined : nodes.get(spec.nodeName)
  if (node === undefined || spec.nodeName === undefined) return labels
  const place = Object.fromEntries(TOPOLOGY.flatMap((label) => ((node[label] ?? '') === '' ? [] : [[label, node[label]]])))
  return { ...labels, ...place, 'kubernetes.io/hostname': spec.nodeName }
}
