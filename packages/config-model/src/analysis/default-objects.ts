import type { PodSpec } from '../kinds/kubernetes/pod.js'
import type { ServiceSpec } from '../kinds/kubernetes/service.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import type { ConfigObject } from './object.js'

const PORTS = [
  ['http2', 80],
  ['https', 443],
  ['tcp', 31400],
  ['tls', 15443],
] as const

/** The ingress gateway that an installation has, which nobody writes into a folder of their own: a Service and a pod. None with ingress mode OFF. */
export function defaultObjects({ ingressControllerMode, ingressService, rootNamespace }: MeshConfig): ConfigObject[] {
  if (ingressControllerMode === 'OFF') return []
  const selector = { istio: 'ingressgateway' }
  const base = { group: '', written: {} }
  const meta = { namespace: rootNamespace, annotations: {} }
  const service: ConfigObject<ServiceSpec> = {
    ...base,
    kind: 'Service',
    known: 'Service',
    metadata: { ...meta, name: ingressService, labels: {} },
    spec: {
      type: 'LoadBalancer',
      selector,
      ports: PORTS.map(([name, port]) => ({ name, port, protocol: 'TCP', targetPort: port })),
    },
  }
  const pod: ConfigObject<PodSpec> = {
    ...base,
    kind: 'Pod',
    known: 'Pod',
    metadata: { ...meta, name: `${ingressService}-dummypod`, labels: selector },
    spec: { containers: [{ name: 'istio-proxy' }] },
  }
  return [service, pod]
}
