import type { ServiceEntrySpec } from '../../kinds/service-entry.js'
import type { Analyzer } from '../analyzer.js'
import { type ConfigObject, fullName } from '../object.js'
import { scopesOf } from '../service-hosts.js'

interface ScopedPort {
  readonly scope: string
  readonly host: string
  readonly number: number
  readonly uses: { readonly protocol: string; readonly entry: ConfigObject<ServiceEntrySpec> }[]
}

/** ServiceEntries that say different protocols for one port of one host: only one can be right. */
export const serviceEntryProtocols: Analyzer = {
  name: 'serviceentry.ConflictingServiceEntryProtocolAnalyzer',
  summary: 'ServiceEntries with different protocols for one host and port',
  messages: ['ConflictingServiceEntryProtocol'],
  analyze(context, report) {
    const ports = new Map<string, ScopedPort>()
    for (const entry of context.of('ServiceEntry')) {
      for (const scope of scopesOf(entry.spec.exportTo, entry.metadata.namespace)) {
        for (const host of entry.spec.hosts) {
          for (const { number, protocol = '' } of entry.spec.ports ?? []) {
            const key = `${scope}/${host}:${number}`
            const port = ports.get(key) ?? { scope, host, number, uses: [] }
            ports.set(key, port)
            port.uses.push({ protocol: protocol.toUpperCase(), entry })
          }
        }
      }
    }
    const told = new Set<ConfigObject>()
    for (const { scope, host, number, uses } of ports.values()) {
      const all = scope === '*' ? uses : [...uses, ...(ports.get(`*/${host}:${number}`)?.uses ?? [])]
      const protocols = [...new Set(all.map(({ protocol }) => protocol))].sort()
      if (protocols.length < 2) continue
      const names = [...new Set(all.map(({ entry }) => fullName(entry)))].sort().join(', ')
      for (const { entry } of all) {
        if (told.has(entry)) continue
        told.add(entry)
        report('ConflictingServiceEntryProtocol', entry, 'metadata.name', names, host, number, protocols.join(', '))
      }
    }
  },
}
