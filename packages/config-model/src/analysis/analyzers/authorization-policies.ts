import type { AuthorizationPolicySpec } from '../../kinds/authorization-policy.js'
import type { Analyzer, Report } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import { formatSelector } from '../label-index.js'
import { isAmbient, isInMesh } from '../namespaces.js'
import type { ConfigObject } from '../object.js'
import type { Workload } from '../workloads.js'

/** AuthorizationPolicies that select nothing, and namespaces in them that do not exist. */
export const authorizationPolicies: Analyzer = {
  name: 'auth.AuthorizationPoliciesAnalyzer',
  summary: 'AuthorizationPolicies without workloads, and source namespaces that do not exist',
  messages: ['NoMatchingWorkloadsFound', 'ReferencedResourceNotFound'],
  analyze(context, report) {
    for (const policy of context.of('AuthorizationPolicy')) {
      checkWorkloads(policy, context, report)
      checkNamespaces(policy, context, report)
    }
  },
}

function checkWorkloads(policy: ConfigObject<AuthorizationPolicySpec>, context: AnalysisContext, report: Report): void {
  const { selector, targetRef, targetRefs } = policy.spec
  // It is for waypoints and gateways, not for the workloads of its namespace.
  if (targetRef !== undefined || (targetRefs ?? []).length > 0) return
  const { namespace } = policy.metadata
  const meshWide = namespace === context.meshConfig.rootNamespace
  if (meshWide && selector === undefined) return
  const inMesh = (workload: Workload): boolean => isInMesh(workload, context.namespace(workload.namespace)) || isAmbient(workload)
  const scope = meshWide ? context.workloads : context.workloads.in(namespace)
  if (scope.select(selector?.matchLabels).some(inMesh)) return
  const path = selector === undefined ? '' : 'spec.selector.matchLabels'
  report('NoMatchingWorkloadsFound', policy, path, formatSelector(selector?.matchLabels))
}

function checkNamespaces(policy: ConfigObject<AuthorizationPolicySpec>, context: AnalysisContext, report: Report): void {
  const known = context.of('Namespace').map(({ metadata }) => metadata.name)
  policy.spec.rules?.forEach((rule, r) => {
    rule.from?.forEach(({ source }, f) => {
      for (const field of ['namespaces', 'notNamespaces'] as const) {
        source[field]?.forEach((pattern, n) => {
          if (known.some((name) => matches(pattern, name))) return
          const path = `spec.rules[${r}].from[${f}].source.${field}[${n}]`
          report('ReferencedResourceNotFound', policy, path, 'namespace', pattern)
        })
      }
    })
  })
}

function matches(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1))
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1))
  return name.toLowerCase() === pattern.toLowerCase()
}
