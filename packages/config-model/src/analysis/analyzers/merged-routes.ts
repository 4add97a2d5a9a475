import { oldestFirst } from '../../age.js'
import type { HTTPMatchRequest } from '../../kinds/http-route.js'
import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'
import { type ConfigObject, friendlyName } from '../object.js'
import { placedMatches } from '../placed-matches.js'
import { createCovers } from '../regex/covers.js'
import { coversHttp, gatewaysOf } from '../route-match.js'

type VirtualService = ConfigObject<VirtualServiceSpec>

/** VirtualServices of one host on one gateway are merged, the oldest first: what a newer one has too, it has for nothing. In sidecars IST0109 tells. */
export const mergedRoutes: Analyzer = {
  name: 'heddle.MergedRouteAnalyzer',
  summary: 'matches that an older VirtualService of the same hosts and gateways has already',
  messages: ['ShadowedRoute'],
  analyze(context, report) {
    const covers = createCovers()
    const ofGateways = oldestFirst(context.of('VirtualService').filter(({ spec }) => !gatewaysOf(spec).includes('mesh')))
    const byHost = groupBy(
      ofGateways.flatMap((service) => service.spec.hosts.map((host) => ({ host, service }))),
      ({ host }) => host,
    )
    for (const service of ofGateways) {
      const rivals = (byHost.get(service.spec.hosts[0] ?? '') ?? []).map((one) => one.service)
      const older = rivals.slice(0, rivals.indexOf(service)).filter((one) => hasAll(one.spec.hosts, service.spec.hosts))
      const gateways = qualified(service, gatewaysOf(service.spec))
      for (const later of placedMatches('http', service.spec.http)) {
        const match = withGateways(service, later.match)
        for (const one of older) {
          const theirs = qualified(one, gatewaysOf(one.spec))
          if (match.gateways === undefined && !hasAll(theirs, gateways)) continue
          const asked = { ...match, gateways: match.gateways ?? gateways }
          const by = placedMatches('http', one.spec.http).find(
            ({ match: earlier, delegates }) =>
              !delegates &&
              // What takes everything is tried last, whoever has it.
              (!takesAll(earlier) || takesAll(later.match)) &&
              coversHttp(withGateways(one, earlier), asked, theirs, covers),
          )
          if (by === undefined) continue
          report('ShadowedRoute', service, later.path, `${friendlyName(one)} ${by.title}`)
          break
        }
      }
    }
  },
}

function hasAll(all: readonly string[], some: readonly string[]): boolean {
  return some.every((one) => all.includes(one))
}

function qualified({ metadata }: VirtualService, gateways: readonly string[]): readonly string[] {
  return gateways.map((name) => (name.includes('/') ? name : `${metadata.namespace}/${name}`))
}

function withGateways(service: VirtualService, match: HTTPMatchRequest): HTTPMatchRequest {
  return match.gateways === undefined ? match : { ...match, gateways: qualified(service, match.gateways) }
}

// As istiod sees it: nothing is asked but a path that is every path.
function takesAll({ uri, name: _, statPrefix: __, gateways: ___, ...rest }: HTTPMatchRequest): boolean {
  const everything = uri === undefined || ('prefix' in uri && uri.prefix === '/') || ('regex' in uri && uri.regex === '.*')
  return everything && Object.values(rest).every((value) => value === undefined || value === false)
}
