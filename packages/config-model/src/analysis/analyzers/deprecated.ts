import { isRecord } from '../../decode/value.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

// Istio's kinds of old that its charts do not install any more.
const REMOVED: ReadonlySet<string> = new Set(['ClusterRbacConfig', 'RbacConfig', 'ServiceRole', 'ServiceRoleBinding'])
const RBAC = 'rbac.istio.io'

/** Fields and kinds that Istio has given up. */
export const deprecated: Analyzer = {
  name: 'deprecation.DeprecationAnalyzer',
  summary: 'fields and kinds that Istio has given up',
  messages: ['Deprecated'],
  analyze(context, report) {
    for (const service of context.of('VirtualService')) {
      const at = writtenDelays(service).findIndex((percent) => percent > 0)
      const path = `spec.http[${at}].fault.delay.percent`
      const text = 'HTTPRoute.fault.delay.percent is deprecated; use HTTPRoute.fault.delay.percentage'
      if (at >= 0) report('Deprecated', service, path, text)
    }
    for (const sidecar of context.of('Sidecar')) {
      if (sidecar.spec.outboundTrafficPolicy?.egressProxy === undefined) continue
      report('Deprecated', sidecar, 'spec.outboundTrafficPolicy.egressProxy', 'OutboundTrafficPolicy.EgressProxy ignored')
    }
    for (const definition of context.ofGroup('apiextensions.k8s.io', 'CustomResourceDefinition')) {
      const spec = recordAt(definition.written, 'spec')
      const kind = String(recordAt(spec, 'names')['kind'])
      if (spec['group'] === RBAC && REMOVED.has(kind))
        report('Deprecated', definition, 'spec.names.kind', `Custom resource type ${RBAC} ${kind} is removed`)
    }
  },
}

// The decoder has made `percentage` of it: only the written object tells.
function writtenDelays({ written }: ConfigObject): number[] {
  const rules = recordAt(written, 'spec')['http']
  if (!Array.isArray(rules)) return []
  return rules.map((rule: unknown) => Number(recordAt(recordAt(rule, 'fault'), 'delay')['percent'] ?? 0))
}

function recordAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const child = isRecord(value) ? value[key] : undefined
  return isRecord(child) ? child : {}
}
