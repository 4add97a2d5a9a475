import type { GatewaySpec, Server } from '../../kinds/gateway.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import { groupBy } from '../group-by.js'
import { formatSelector } from '../label-index.js'
import { type ConfigObject, fullName } from '../object.js'

type Labels = Readonly<Record<string, string>>

interface PlacedServer {
  readonly gateway: ConfigObject<GatewaySpec>
  readonly server: Server
}

/** Gateways that open the same hosts on the same port of the same proxies: one of them loses. */
export const gatewayConflicts: Analyzer = {
  name: 'gateway.ConflictingGatewayAnalyzer',
  summary: 'Gateways with the same hosts on the same port of the same proxies',
  messages: ['ConflictingGateways'],
  analyze(context, report) {
    const servers = context.of('Gateway').flatMap((gateway) => gateway.spec.servers.map((server) => ({ gateway, server })))
    const byPort = groupBy(servers, ({ server }) => server.port.number)
    for (const [number, ofPort] of byPort) {
      const byHost = groupBy(
        ofPort.flatMap((placed) => placed.server.hosts.map((host) => ({ host, placed }))),
        ({ host, placed }) => `${host} ${placed.server.bind ?? ''}`,
      )
      for (const { gateway, server } of ofPort) {
        const rivals = server.hosts.flatMap((host) => byHost.get(`${host} ${server.bind ?? ''}`) ?? [])
        const names = new Set(
          rivals.flatMap(({ placed }) => (shares(gateway, placed, context) ? [fullName(placed.gateway)] : [])),
        )
        if (names.size === 0) continue
        const path = `spec.servers[${gateway.spec.servers.indexOf(server)}]`
        const selector = formatSelector(gateway.spec.selector)
        report(
          'ConflictingGateways',
          gateway,
          path,
          [...names].sort().join(','),
          selector,
          String(number),
          server.hosts.join(','),
        )
      }
    }
  },
}

// The selectors are the same, or one holds the other and some pod has both.
function shares(gateway: ConfigObject<GatewaySpec>, { gateway: other }: PlacedServer, context: AnalysisContext): boolean {
  if (other === gateway) return false
  const a: Labels = gateway.spec.selector ?? {}
  const b: Labels = other.spec.selector ?? {}
  if (formatSelector(a) === formatSelector(b)) return true
  if (!selects(a, b) && !selects(b, a)) return false
  return context.workloads.select({ ...a, ...b }).length > 0
}
