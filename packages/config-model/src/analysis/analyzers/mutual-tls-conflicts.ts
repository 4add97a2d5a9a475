import type { KubernetesServicePort } from '../../kinds/kubernetes/service.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { isAmbient, isInMesh } from '../namespaces.js'
import { createPeerModes, type PeerMode, type PeerModes } from '../peer-modes.js'
import { type TlsSetting, tlsSettings } from '../tls-settings.js'
import { containersOf, type Workload } from '../workloads.js'

/** `hasProxy`: a PeerAuthentication is STRICT only with those that have a proxy. */
type Backend = Pick<Workload, 'namespace' | 'labels' | 'spec'> & { readonly hasProxy: boolean }

const ADVICE = {
  on: 'ISTIO_MUTUAL turns mutual TLS on: to have none, write DISABLE or leave `tls` out.',
  off: 'STRICT takes mutual TLS with certificates of the mesh only: write ISTIO_MUTUAL or leave `tls` out.',
} as const

/** DestinationRules that speak another TLS than the workloads behind them take. */
export const mutualTlsConflicts: Analyzer = {
  name: 'heddle.MutualTLSConflictAnalyzer',
  summary: 'DestinationRules whose TLS mode is not what the PeerAuthentication of the workloads takes',
  messages: ['MutualTLSConflict'],
  analyze(context, report) {
    const modeOf = createPeerModes(context)
    for (const rule of context.of('DestinationRule')) {
      const { host, exportTo } = rule.spec
      const target = context.services.find(host, rule.metadata.namespace, exportTo)
      const service = target?.service
      if (target === undefined || service?.spec.selector === undefined) continue
      const found = context.workloads.in(target.namespace).select(service.spec.selector)
      // Where there are no pods, those that the service would select.
      const promised = { namespace: target.namespace, labels: service.spec.selector, annotations: {}, spec: {} }
      const backends = (found.length > 0 ? found : [promised]).map((pod): Backend => {
        const hasProxy = isAmbient(pod) || isInMesh(pod, context.namespace(pod.namespace))
        return { ...pod, hasProxy }
      })
      for (const setting of tlsSettings(rule.spec)) {
        const conflict = findConflict(setting, backends, service.spec.ports ?? [], modeOf)
        if (conflict === undefined) continue
        const advice = conflict.mode === 'DISABLE' ? ADVICE.on : ADVICE.off
        report('MutualTLSConflict', rule, setting.path, host, setting.mode, conflict.policy ?? '', conflict.mode, advice)
      }
    }
  },
}

function findConflict(
  { mode, port, others, labels }: TlsSetting,
  backends: readonly Backend[],
  ports: readonly KubernetesServicePort[],
  modeOf: PeerModes,
): PeerMode | undefined {
  for (const pod of backends) {
    if (!selects(labels, pod.labels)) continue
    for (const servicePort of ports) {
      if (port === undefined ? others.includes(servicePort.port) : servicePort.port !== port) continue
      const taken = modeOf(pod, targetPort(servicePort, pod))
      if (taken.policy === undefined) continue
      if (mode === 'ISTIO_MUTUAL' ? taken.mode === 'DISABLE' : taken.mode === 'STRICT' && pod.hasProxy) return taken
    }
  }
  return undefined
}

function targetPort({ port, targetPort: target = port }: KubernetesServicePort, { spec }: Backend): number | undefined {
  if (typeof target === 'number') return target
  const named = containersOf(spec).flatMap(({ ports = [] }) => ports.filter(({ name }) => name === target))
  return named[0]?.containerPort
}
