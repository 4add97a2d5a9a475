import { RateLimitRequest, RateLimitResponse } from '@heddle/xds-types/envoy/service/ratelimit/v3'
import type { Descriptor } from '../../route/rate-limit.js'
import type { GrpcClient } from '../../upstream/grpc-client.js'
import { GRPC_STATUS } from '../../upstream/grpc-status.js'
import type { RateLimitConfig } from './ratelimit-config.js'

const SHOULD_RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'

/** What the service says. */
export interface RateLimitVerdict {
  readonly kind: 'ok' | 'over' | 'error'
  readonly body: string
  readonly requestHeaders: readonly HeaderLine[]
  readonly responseHeaders: readonly HeaderLine[]
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  readonly statuses: NonNullable<RateLimitResponse['statuses']>
}

type HeaderLine = readonly [name: string, value: string]

const FAILED: RateLimitVerdict = {
  kind: 'error',
  body: '',
  requestHeaders: [],
  responseHeaders: [],
  metadata: undefined,
  statuses: [],
}

/** Asks envoy.service.ratelimit.v3.RateLimitService; whatever goes wrong is an `error`. */
export async function shouldRateLimit(
  config: RateLimitConfig,
  domain: string,
  descriptors: readonly Descriptor[],
  client: ((cluster: string) => GrpcClient) | undefined,
): Promise<RateLimitVerdict> {
  if (client === undefined) return FAILED
  const { service, timeoutMs } = config
  const request = RateLimitRequest.encode({ domain, descriptors } as RateLimitRequest)
  const { cluster, metadata, authority } = service
  const options = { path: SHOULD_RATE_LIMIT, timeoutMs, metadata, ...(authority !== undefined && { authority }) }
  const answer = await client(cluster).call(options, request).done
  if (answer.code !== GRPC_STATUS.ok || answer.response === undefined) return FAILED
  const decoded = RateLimitResponse.decode(answer.response)
  return decoded.ok ? verdictOf(decoded.value) : FAILED
}

function verdictOf(response: RateLimitResponse): RateLimitVerdict {
  const { overall_code: code, raw_body: body, dynamic_metadata: metadata, statuses = [] } = response
  return {
    kind: code === 'OVER_LIMIT' ? 'over' : 'ok',
    body: body === undefined ? '' : Buffer.from(body as string, 'base64').toString('utf8'),
    requestHeaders: linesOf(response.request_headers_to_add),
    responseHeaders: linesOf(response.response_headers_to_add),
    metadata: metadata as Readonly<Record<string, unknown>> | undefined,
    statuses,
  }
}

function linesOf(headers: RateLimitResponse['response_headers_to_add'] = []): readonly HeaderLine[] {
  return headers.map(({ key = '', value = '' }) => [key, value] as const)
}

const WINDOWS: Readonly<Record<string, number>> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3_600,
  DAY: 86_400,
  WEEK: 604_800,
  MONTH: 2_592_000,
  YEAR: 31_536_000,
}

/** x-ratelimit-* of draft 03: of the limit that is nearest, with the policies of all. */
export function rateLimitHeaders({ statuses }: RateLimitVerdict): readonly HeaderLine[] {
  const limited = statuses.filter((status) => status.current_limit !== undefined)
  let nearest = limited[0]
  if (nearest === undefined) return []
  let policy = ''
  for (const status of limited) {
    if ((status.limit_remaining ?? 0) < (nearest.limit_remaining ?? 0)) nearest = status
    const { unit = '', requests_per_unit: most = 0, name = '' } = status.current_limit ?? {}
    const window = WINDOWS[unit]
    if (window !== undefined) policy += `, ${most};w=${window}${name === '' ? '' : `;name="${name}"`}`
  }
  return [
    ['x-ratelimit-limit', `${nearest.current_limit?.requests_per_unit ?? 0}${policy}`],
    ['x-ratelimit-remaining', String(nearest.limit_remaining ?? 0)],
    ['x-ratelimit-reset', String(resetSeconds(nearest))],
  ]
}

/** Until the limit that is over resets. */
export function retryAfterSeconds({ statuses }: RateLimitVerdict): number {
  return Math.max(0, ...statuses.filter(({ code }) => code === 'OVER_LIMIT').map(resetSeconds))
}

/** In memory a duration is always `<seconds>s`. */
function resetSeconds({ duration_until_reset: duration = '0s' }: RateLimitVerdict['statuses'][number]): number {
  return Math.floor(Number.parseFloat(duration as string))
}
