import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'
import type { Analyzer, Report } from '../analyzer.js'
import { type ConfigObject, fullName } from '../object.js'
import type { HostTarget } from '../service-hosts.js'
import { destinationsOf, type PlacedDestination } from './virtual-service-destinations.js'

type VirtualService = ConfigObject<VirtualServiceSpec>

/** Destinations of VirtualServices: they exist, with that port, and what sidecars do with them is not lost at the gateway. */
export const destinationHosts: Analyzer = {
  name: 'virtualservice.DestinationHostAnalyzer',
  summary: 'destinations that do not exist, need a port, or pass by the subsets that sidecars use',
  messages: ['ReferencedResourceNotFound', 'VirtualServiceDestinationPortSelectorRequired', 'IngressRouteRulesNotAffected'],
  analyze(context, report) {
    const services = context.of('VirtualService')
    const withSubsets = servicesWithSubsets(services)
    for (const service of services) {
      for (const placed of destinationsOf(service.spec)) {
        const { destination, path, mirror } = placed
        const target = context.services.find(destination.host, service.metadata.namespace, service.spec.exportTo)
        if (target === undefined)
          report('ReferencedResourceNotFound', service, `${path}.host`, mirror ? 'mirror host' : 'host', destination.host)
        else checkPort(placed, target, service, report)
      }
      if ((service.spec.gateways ?? []).length > 0) checkGatewayRoutes(service, withSubsets, report)
    }
  },
}

function checkPort({ destination, path }: PlacedDestination, target: HostTarget, service: VirtualService, report: Report): void {
  const { host, port } = destination
  if (port === undefined) {
    if (target.ports.length > 1) report('VirtualServiceDestinationPortSelectorRequired', service, path, host, [...target.ports])
  } else if (!target.ports.includes(port.number)) {
    report('ReferencedResourceNotFound', service, `${path}.port`, 'host:port', `${host}:${port.number}`)
  }
}

// By host: the VirtualServices of that very host that send to its subsets.
function servicesWithSubsets(services: readonly VirtualService[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const service of services) {
    for (const { route = [] } of service.spec.http ?? []) {
      for (const { destination } of route) {
        if ((destination.subset ?? '') === '' || !service.spec.hosts.includes(destination.host)) continue
        found.set(destination.host, [...(found.get(destination.host) ?? []), fullName(service)])
      }
    }
  }
  return found
}

// A gateway goes to the host itself: the VirtualService of the host is for sidecars.
function checkGatewayRoutes(service: VirtualService, withSubsets: ReadonlyMap<string, readonly string[]>, report: Report): void {
  const told = new Set<string>()
  service.spec.http?.forEach(({ route = [] }, r) => {
    route.forEach(({ destination }, d) => {
      if ((destination.subset ?? '') !== '') return
      for (const other of withSubsets.get(destination.host) ?? []) {
        if (told.has(other)) continue
        told.add(other)
        report('IngressRouteRulesNotAffected', service, `spec.http[${r}].route[${d}].destination`, other, fullName(service))
      }
    })
  })
}
