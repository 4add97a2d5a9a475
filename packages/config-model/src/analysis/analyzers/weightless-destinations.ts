import type { Destination } from '../../kinds/http-route.js'
import type { Analyzer } from '../analyzer.js'

/** Destinations that are written down and get nothing: often a canary whose weights are the wrong way round. */
export const weightlessDestinations: Analyzer = {
  name: 'heddle.WeightlessDestinationAnalyzer',
  summary: 'destinations of weight 0 beside one that gets everything',
  messages: ['DestinationWithoutWeight'],
  analyze(context, report) {
    for (const service of context.of('VirtualService')) {
      for (const key of ['http', 'tls', 'tcp'] as const) {
        service.spec[key]?.forEach(({ route = [] }, r) => {
          const taking = route.filter(({ weight = 0 }) => weight > 0)
          if (taking.length === 0) return
          const others = taking.map(({ destination }) => nameOf(destination)).join(', ')
          route.forEach(({ destination, weight }, d) => {
            if (weight === 0)
              report('DestinationWithoutWeight', service, `spec.${key}[${r}].route[${d}].weight`, nameOf(destination), others)
          })
        })
      }
    }
  },
}

function nameOf({ host, subset }: Destination): string {
  return subset === undefined || subset === '' ? host : `${host} (${subset})`
}
