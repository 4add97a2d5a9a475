import type { SidecarSpec } from '../../kinds/sidecar.js'
import type { Analyzer, Report } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import { groupBy } from '../group-by.js'
import { formatSelector } from '../label-index.js'
import { isAmbient, isAmbientNamespace } from '../namespaces.js'
import type { ConfigObject } from '../object.js'
import { overlaps } from './selector-overlaps.js'

type Sidecar = ConfigObject<SidecarSpec>

/** Sidecars that select nothing, or the same workloads, or that no sidecar will read. */
export const sidecarSelectors: Analyzer = {
  name: 'sidecar.SelectorAnalyzer',
  summary: 'Sidecars that select no workload, or one that another Sidecar has',
  messages: [
    'ReferencedResourceNotFound',
    'ConflictingSidecarWorkloadSelectors',
    'MultipleSidecarsWithoutWorkloadSelectors',
    'IneffectivePolicy',
  ],
  analyze(context, report) {
    const sidecars = context.of('Sidecar')
    checkSelected(sidecars.filter(hasSelector), context, report)
    for (const [name, whole] of groupBy(
      sidecars.filter((sidecar) => !hasSelector(sidecar)),
      ({ metadata }) => metadata.namespace,
    )) {
      const ambient = isAmbientNamespace(context.namespace(name))
      const names = whole.map(({ metadata }) => metadata.name)
      for (const sidecar of whole) {
        if (ambient) report('IneffectivePolicy', sidecar, '', 'namespace is in ambient mode, the policy has no impact')
        else if (whole.length > 1) report('MultipleSidecarsWithoutWorkloadSelectors', sidecar, '', names, name)
      }
    }
  },
}

function checkSelected(sidecars: readonly Sidecar[], context: AnalysisContext, report: Report): void {
  const { unmatched, byWorkload } = overlaps(sidecars, ({ spec }) => spec.workloadSelector?.labels ?? {}, context)
  for (const sidecar of unmatched) {
    const selector = formatSelector(sidecar.spec.workloadSelector?.labels)
    report('ReferencedResourceNotFound', sidecar, 'spec.workloadSelector.labels', 'selector', selector)
  }
  const idle = new Set<Sidecar>()
  for (const [workload, selecting] of byWorkload) {
    const names = selecting.map(({ metadata }) => metadata.name)
    const { namespace, name } = workload.object.metadata
    for (const sidecar of selecting) {
      if (isAmbient(workload)) idle.add(sidecar)
      else if (selecting.length > 1)
        report('ConflictingSidecarWorkloadSelectors', sidecar, 'metadata.name', names, namespace, name)
    }
  }
  for (const sidecar of idle)
    report('IneffectivePolicy', sidecar, '', 'selected workload is in ambient mode, the policy has no impact')
}

function hasSelector({ spec }: Sidecar): boolean {
  return Object.keys(spec.workloadSelector?.labels ?? {}).length > 0
}
