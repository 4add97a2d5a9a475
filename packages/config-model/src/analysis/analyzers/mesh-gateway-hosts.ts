import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'
import { hostsOverlap } from '../../names/host.js'
import type { Analyzer } from '../analyzer.js'
import { type ConfigObject, fullName } from '../object.js'
import { scopesOf } from '../service-hosts.js'

type VirtualService = ConfigObject<VirtualServiceSpec>

interface ScopedHost {
  readonly scope: string
  readonly host: string
  readonly services: VirtualService[]
}

/** VirtualServices of one host in the sidecars of one namespace: the oldest wins, and the others do nothing. */
export const meshGatewayHosts: Analyzer = {
  name: 'virtualservice.ConflictingMeshGatewayHostsAnalyzer',
  summary: 'several VirtualServices of one host in sidecars',
  messages: ['ConflictingMeshGatewayVirtualServiceHosts'],
  analyze(context, report) {
    const hosts = new Map<string, ScopedHost>()
    for (const service of context.of('VirtualService')) {
      const { gateways = [], exportTo, hosts: written } = service.spec
      if (gateways.length > 0 && !gateways.includes('mesh')) continue
      for (const scope of scopesOf(exportTo, service.metadata.namespace)) {
        for (const one of written) {
          const host = context.services.qualify(one, service.metadata.namespace)
          const entry = hosts.get(`${scope}/${host}`)
          if (entry === undefined) hosts.set(`${scope}/${host}`, { scope, host, services: [service] })
          else entry.services.push(service)
        }
      }
    }
    const everywhere = [...hosts.values()].filter(({ scope }) => scope === '*')
    const told = new Set<VirtualService>()
    for (const { scope, host, services } of hosts.values()) {
      const others =
        scope === '*' ? [] : everywhere.filter((entry) => hostsOverlap(host, entry.host)).flatMap((entry) => entry.services)
      const rivals = [...services, ...others]
      if (new Set(rivals).size < 2) continue
      const names = rivals.map(fullName).join(',')
      for (const service of rivals) {
        if (told.has(service)) continue
        told.add(service)
        report('ConflictingMeshGatewayVirtualServiceHosts', service, 'metadata.name', names, `${scope}/${host}`)
      }
    }
  },
}
