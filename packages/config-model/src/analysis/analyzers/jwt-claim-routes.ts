import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'
import { selects } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { groupBy } from '../group-by.js'

const CLAIM = '@request.auth.claims'

/** Routes by JWT claims on gateways that never look at a token. */
export const jwtClaimRoutes: Analyzer = {
  name: 'virtualservice.JWTClaimRouteAnalyzer',
  summary: 'routes by JWT claims on gateways without a RequestAuthentication',
  messages: ['JwtClaimBasedRoutingWithoutRequestAuthN'],
  analyze(context, report) {
    const requests = groupBy(context.of('RequestAuthentication'), ({ metadata }) => metadata.namespace)
    for (const service of context.of('VirtualService')) {
      const claim = claimOf(service.spec)
      if (claim === undefined) continue
      const { namespace } = service.metadata
      for (const written of service.spec.gateways ?? []) {
        const name = written.includes('/') || namespace === '' ? written : `${namespace}/${written}`
        const gateway = written === 'mesh' ? undefined : context.find('Gateway', name)
        if (gateway === undefined) continue
        for (const pod of context.workloads.select(gateway.spec.selector)) {
          const policies = [context.meshConfig.rootNamespace, pod.namespace].flatMap((one) => requests.get(one) ?? [])
          if (policies.some(({ spec }) => selects(spec.selector?.matchLabels, pod.labels))) continue
          const pathOf = `spec.http[${claim.rule}].match[${claim.match}]`
          report('JwtClaimBasedRoutingWithoutRequestAuthN', service, pathOf, claim.key, name, pod.object.metadata.name)
        }
      }
    }
  },
}

function claimOf({ http = [] }: VirtualServiceSpec): { key: string; rule: number; match: number } | undefined {
  for (const [rule, { match: matches = [] }] of http.entries()) {
    for (const [match, { headers = {}, withoutHeaders = {} }] of matches.entries()) {
      const key = [...Object.keys(headers), ...Object.keys(withoutHeaders)].find((name) => name.startsWith(CLAIM))
      if (key !== undefined) return { key, rule, match }
    }
  }
  return undefined
}
