import { limitsRates, RATE_LIMIT_HTTP_FILTER } from '../extensions/rate-limit.js'
import type { HttpFeature } from './feature.js'

/** Heddle's own: refuses what a DestinationRule's annotation calls too much. */
export const localRateLimit: HttpFeature = {
  name: 'local-rate-limit',
  filters: ({ build, listener }) => (listener !== 'inbound' && limitsRates(build) ? [RATE_LIMIT_HTTP_FILTER] : []),
}
