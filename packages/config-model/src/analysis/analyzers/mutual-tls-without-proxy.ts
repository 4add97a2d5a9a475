import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import { isAmbient, isInMesh } from '../namespaces.js'
import { friendlyName } from '../object.js'
import { tlsSettings } from '../tls-settings.js'
import type { Workload } from '../workloads.js'

/** Mutual TLS for workloads that have decided against a proxy: nobody there can take it. */
export const mutualTlsWithoutProxy: Analyzer = {
  name: 'heddle.MutualTLSWithoutProxyAnalyzer',
  summary: 'DestinationRules with ISTIO_MUTUAL for workloads that are not injected, by their own label or their namespace’s',
  messages: ['MutualTLSWithoutProxy'],
  analyze(context, report) {
    for (const rule of context.of('DestinationRule')) {
      const { host, exportTo } = rule.spec
      const target = context.services.find(host, rule.metadata.namespace, exportTo)
      const selector = target?.service?.spec.selector
      if (target === undefined || selector === undefined) continue
      for (const { mode, path, labels } of tlsSettings(rule.spec)) {
        if (mode !== 'ISTIO_MUTUAL') continue
        const pods = context.workloads.in(target.namespace).select({ ...selector, ...labels })
        const [first] = pods
        if (first !== undefined && pods.every((pod) => isLeftOut(pod, context)))
          report('MutualTLSWithoutProxy', rule, path, host, friendlyName(first.object))
      }
    }
  },
}

// Somebody has said so; that nobody has said anything may be because the namespace is not among the files.
function isLeftOut(pod: Workload, context: AnalysisContext): boolean {
  const namespace = context.namespace(pod.namespace)
  if (isAmbient(pod) || isInMesh(pod, namespace)) return false
  const own = pod.labels[INJECT] ?? pod.annotations[INJECT]
  return (
    own === 'false' ||
    pod.spec.hostNetwork === true ||
    selects({ 'istio-injection': 'disabled' }, namespace?.metadata.labels ?? {})
  )
}

const INJECT = 'sidecar.istio.io/inject'
