import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { formatSelector } from '../label-index.js'

/** Servers of a Gateway on ports that no Service of its proxies has. */
export const gatewayPorts: Analyzer = {
  name: 'gateway.IngressGatewayPortAnalyzer',
  summary: 'Gateways without proxies, and servers on ports that the Service of the proxies does not have',
  messages: ['ReferencedResourceNotFound', 'GatewayPortNotDefinedOnService'],
  analyze(context, report) {
    const services = groupBy(context.of('Service'), ({ metadata }) => metadata.namespace)
    for (const gateway of context.of('Gateway')) {
      const { selector, servers } = gateway.spec
      const pods = context.workloads.select(selector)
      if (pods.length === 0) {
        report('ReferencedResourceNotFound', gateway, 'spec.selector', 'selector', formatSelector(selector))
        continue
      }
      // The port of a server is that of the Service, which istiod follows to its target, or the target itself.
      const ports = new Set(
        pods.flatMap(({ namespace, labels }) =>
          (services.get(namespace) ?? [])
            .filter(({ spec }) => selects(spec.selector, labels))
            .flatMap(({ spec }) => (spec.ports ?? []).filter(({ protocol }) => protocol === 'TCP').flatMap(numbersOf)),
        ),
      )
      servers.forEach(({ port }, s) => {
        if (port.number === 0 || ports.has(port.number)) return
        report('GatewayPortNotDefinedOnService', gateway, `spec.servers[${s}].port`, port.number, formatSelector(selector))
      })
    }
  },
}

function numbersOf({ port, targetPort }: { port: number; targetPort?: number | string }): number[] {
  return typeof targetPort === 'number' ? [port, targetPort] : [port]
}
