import type { Analyzer } from '../analyzer.js'
import { destinationsOf } from './virtual-service-destinations.js'

/** Subsets that no DestinationRule of the host has. */
export const destinationSubsets: Analyzer = {
  name: 'virtualservice.DestinationRuleAnalyzer',
  summary: 'subsets that no DestinationRule defines',
  messages: ['ReferencedResourceNotFound'],
  analyze(context, report) {
    const { qualify } = context.services
    const defined = new Set(
      context
        .of('DestinationRule')
        .flatMap(({ metadata, spec }) =>
          (spec.subsets ?? []).map(({ name }) => `${qualify(spec.host, metadata.namespace)}+${name}`),
        ),
    )
    for (const service of context.of('VirtualService')) {
      for (const { destination, path, mirror } of destinationsOf(service.spec)) {
        const { host, subset = '' } = destination
        if (subset === '' || defined.has(`${qualify(host, service.metadata.namespace)}+${subset}`)) continue
        const what = mirror ? 'mirror+subset in destinationrule' : 'host+subset in destinationrule'
        report('ReferencedResourceNotFound', service, `${path}.subset`, what, `${host}+${subset}`)
      }
    }
  },
}
