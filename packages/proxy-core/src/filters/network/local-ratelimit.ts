import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/network/local_ratelimit/v3'
import type { Fields } from '../../config/fields.js'
import { compileRuntimeFlag } from '../../config/runtime-flag.js'
import { CLOSE_REASON, closeFor } from '../../net/close-reason.js'
import { NETWORK_RATE_LIMIT_LABEL } from '../../observe/labels.js'
import { createTokenBucket } from '../http/token-bucket.js'
import type { NetworkGate } from './gate.js'

const SHORTEST_FILL_MS = 50

/** envoy.filters.network.local_ratelimit: a token for each connection; without one it is closed. */
export function compileNetworkRateLimit(fields: Fields<LocalRateLimit>, name: string): NetworkGate {
  const statPrefix = fields.string('stat_prefix')
  const enabled = compileRuntimeFlag(fields.message('runtime_enabled'))
  const bucket = fields.message('token_bucket')
  const settings = {
    max: bucket?.number('max_tokens') ?? 0,
    perFill: bucket?.number('tokens_per_fill', 1) ?? 1,
    fillMs: bucket?.durationMs('fill_interval', 0) ?? 0,
  }
  bucket?.done()
  fields.done()
  if (settings.max < 1 || settings.perFill < 1)
    fields.problem('needs max_tokens and tokens_per_fill of 1 or more.', 'token_bucket')
  else if (settings.fillMs < SHORTEST_FILL_MS)
    fields.problem(`fill_interval must be ${SHORTEST_FILL_MS} ms or more.`, 'token_bucket')
  return {
    name,
    create({ clock, stats }) {
      const help = "Envoy's local_rate_limit statistics."
      const limited = stats.counter('envoy_local_rate_limit_rate_limited', help, [NETWORK_RATE_LIMIT_LABEL]).labels(statPrefix)
      const tokens = createTokenBucket(settings, clock)
      return {
        refuse(connection) {
          if (!enabled || tokens.take()) return undefined
          limited.inc()
          closeFor(connection, CLOSE_REASON.rateLimit)
          return { flag: 'URX' }
        },
      }
    },
  }
}
