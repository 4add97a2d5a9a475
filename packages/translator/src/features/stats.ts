import { statsFilters } from '../telemetry/stats.js'
import type { HttpFeature } from './feature.js'

/** Istio's metrics. */
export const stats: HttpFeature = {
  name: 'stats',
  filters: ({ build, listener }) => statsFilters(build, listener),
}
