import { kubernetesPortProtocol } from '../../names/port-protocol.js'
import type { Analyzer } from '../analyzer.js'
import { isControlPlane } from '../namespaces.js'

const MANAGED: readonly (string | undefined)[] = [
  'istio.io-gateway-controller',
  'istio.io-mesh-controller',
  'istio.io-eastwest-controller',
]

/** Ports whose name says no protocol: the proxy has to guess it. */
export const portNames: Analyzer = {
  name: 'service.PortNameAnalyzer',
  summary: 'ports whose name says no protocol',
  messages: ['PortNameIsNotUnderNamingConvention', 'ExternalNameServiceTypeInvalidPortName'],
  analyze(context, report) {
    for (const service of context.of('Service')) {
      if (isControlPlane(service) || MANAGED.includes(service.metadata.labels['gateway.istio.io/managed'])) continue
      const external = service.spec.type === 'ExternalName'
      service.spec.ports?.forEach((port, p) => {
        const unnamed = kubernetesPortProtocol(port) === 'Unsupported'
        if (!unnamed && !(external && port.name === 'tcp')) return
        const path = `spec.ports[${p}]`
        if (external) report('ExternalNameServiceTypeInvalidPortName', service, path)
        else report('PortNameIsNotUnderNamingConvention', service, path, port.name, port.port, String(port.targetPort ?? 0))
      })
    }
  },
}
