import type { TelemetrySpec } from '../../kinds/telemetry.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { formatSelector } from '../label-index.js'
import type { ConfigObject } from '../object.js'
import { overlaps } from './selector-overlaps.js'

/** Telemetries that select nothing, or the same workloads. */
export const telemetrySelectors: Analyzer = {
  name: 'telemetry.SelectorAnalyzer',
  summary: 'Telemetries that select no workload, or one that another Telemetry has',
  messages: ['ReferencedResourceNotFound', 'ConflictingTelemetryWorkloadSelectors'],
  analyze(context, report) {
    const labelsOf = ({ spec }: ConfigObject<TelemetrySpec>): Readonly<Record<string, string>> => spec.selector?.matchLabels ?? {}
    const selecting = context.of('Telemetry').filter((telemetry) => Object.keys(labelsOf(telemetry)).length > 0)
    const { unmatched, byWorkload } = overlaps(selecting, labelsOf, context)
    for (const telemetry of unmatched) {
      const selector = formatSelector(labelsOf(telemetry))
      report('ReferencedResourceNotFound', telemetry, 'spec.selector.matchLabels', 'selector', selector)
    }
    for (const [workload, rivals] of byWorkload) {
      if (rivals.length < 2) continue
      const names = rivals.map(({ metadata }) => metadata.name)
      const { namespace, name } = workload.object.metadata
      for (const telemetry of rivals)
        report('ConflictingTelemetryWorkloadSelectors', telemetry, 'metadata.name', names, namespace, name)
    }
  },
}

/** Several Telemetries for a whole namespace: only one can count. */
export const telemetryDefaultSelectors: Analyzer = {
  name: 'telemetry.DefaultSelectorAnalyzer',
  summary: 'several Telemetries without a selector in one namespace',
  messages: ['MultipleTelemetriesWithoutWorkloadSelectors'],
  analyze(context, report) {
    const whole = context
      .of('Telemetry')
      .filter(({ spec }) => spec.selector === undefined && spec.targetRef === undefined && (spec.targetRefs ?? []).length === 0)
    for (const [namespace, rivals] of groupBy(whole, ({ metadata }) => metadata.namespace)) {
      if (rivals.length < 2) continue
      const names = rivals.map(({ metadata }) => metadata.name)
      for (const telemetry of rivals) report('MultipleTelemetriesWithoutWorkloadSelectors', telemetry, '', names, namespace)
    }
  },
}
