import { CODE } from '../../checks/code.js'
import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'
import type { Analyzer, Report } from '../analyzer.js'
import type { ConfigObject } from '../object.js'
import { type PlacedMatch, placedMatches } from '../placed-matches.js'
import { createCovers } from '../regex/covers.js'
import { coversHttp, coversTcp, coversTls, gatewaysOf } from '../route-match.js'

/** Matches that an earlier rule leaves no request. What is equal to an earlier match, or a prefix of a prefix, validation tells. */
export const shadowedRoutes: Analyzer = {
  name: 'heddle.ShadowedRouteAnalyzer',
  summary: 'matches that no request reaches, because an earlier exact, prefix or regex match takes all that they would take',
  messages: ['ShadowedRoute'],
  analyze(context, report) {
    const covers = createCovers()
    const told = new Map<ConfigObject, Set<string>>()
    for (const { diagnostic, object } of context.problems) {
      if (object === undefined || !UNREACHABLE.has(diagnostic.code)) continue
      told.set(object, (told.get(object) ?? new Set()).add(diagnostic.path))
    }
    for (const service of context.of('VirtualService')) {
      const { spec } = service
      const gateways = gatewaysOf(spec)
      const tell = teller(service, told.get(service) ?? new Set(), report)
      tell(placedMatches('http', spec.http), (a, b) => coversHttp(a, b, gateways, covers))
      tell(placedMatches('tls', spec.tls), (a, b) => coversTls(a, b, gateways))
      tell(placedMatches('tcp', spec.tcp), (a, b) => coversTcp(a, b, gateways))
    }
  },
}

const UNREACHABLE: ReadonlySet<string> = new Set([CODE.unreachable, CODE.unreachableMatch])

function teller(
  service: ConfigObject<VirtualServiceSpec>,
  told: ReadonlySet<string>,
  report: Report,
): <M>(matches: readonly PlacedMatch<M>[], covers: (earlier: M, later: M) => boolean) => void {
  return (matches, covers) => {
    matches.forEach((later, at) => {
      if (told.has(later.path) || told.has(`${later.path.replace(/\.match\[\d+\]$/, '')}`)) return
      // Matches of one rule are alternatives: that one of them takes another's requests changes nothing.
      const by = matches
        .slice(0, at)
        .find((earlier) => earlier.rule < later.rule && !earlier.delegates && covers(earlier.match, later.match))
      if (by !== undefined) report('ShadowedRoute', service, later.path, by.title)
    })
  }
}
