import type { PolicyTargetReference } from '../../kinds/common.js'
import type { Analyzer } from '../analyzer.js'

/** HTTP filters that are patched in beside policies of a route. */
export const envoyFilterRouteCache: Analyzer = {
  name: 'envoyfilter.RouteCacheAnalyzer',
  summary: 'EnvoyFilters with HTTP filters where an AuthorizationPolicy depends on the route',
  messages: ['EnvoyFilterMayClearRouteCache'],
  analyze(context, report) {
    const ofRoutes = context
      .of('AuthorizationPolicy')
      .some(({ spec }) => [spec.targetRef, ...(spec.targetRefs ?? [])].some(isHttpRoute))
    if (!ofRoutes) return
    for (const filter of context.of('EnvoyFilter')) {
      const at = (filter.spec.configPatches ?? []).findIndex(
        ({ applyTo, match }) => applyTo === 'HTTP_FILTER' && !(match?.context ?? '').startsWith('SIDECAR_'),
      )
      if (at >= 0) report('EnvoyFilterMayClearRouteCache', filter, `spec.configPatches[${at}]`)
    }
  },
}

function isHttpRoute(reference: PolicyTargetReference | undefined): boolean {
  return reference?.kind === 'HTTPRoute' && reference.group === 'gateway.networking.k8s.io'
}
