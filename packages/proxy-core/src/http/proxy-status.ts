import type { HeaderMap } from './header-map.js'
import type { HttpResponse } from './message.js'
import type { StreamInfo } from './stream-info.js'

/** proxy_status_config: who failed, and why, in the header proxy-status (RFC 9209). */
export interface ProxyStatusConfig {
  /** Of this proxy; absent: server_name. */
  readonly name?: { readonly literal: string } | { readonly nodeId: true }
  readonly details: boolean
  /** Among the details. */
  readonly flags: boolean
  /** The status is what RFC 9209 §2.3 recommends for the error. */
  readonly recommendedStatus: boolean
}

/** Envoy's order: of several flags the first counts. What a codec refuses (DPE) is told by the codec, before anybody has the flag. */
const ERRORS: readonly (readonly [flag: string, error: string])[] = [
  ['LH', 'destination_unavailable'],
  ['UH', 'destination_unavailable'],
  ['UT', 'http_response_timeout'],
  ['DT', 'connection_timeout'],
  ['LR', 'connection_timeout'],
  ['UR', 'connection_terminated'],
  ['UF', 'connection_refused'],
  ['UAEX', 'connection_refused'],
  ['UC', 'connection_terminated'],
  ['OM', 'connection_limit_reached'],
  ['DO', 'connection_limit_reached'],
  ['FI', 'http_request_error'],
  ['DC', 'connection_terminated'],
  ['DR', 'connection_terminated'],
  ['UO', 'connection_limit_reached'],
  ['NR', 'destination_not_found'],
  ['RL', 'connection_limit_reached'],
  ['RLSE', 'connection_limit_reached'],
  ['URX', 'destination_unavailable'],
  ['SI', 'http_response_timeout'],
  ['IH', 'http_request_error'],
  ['UMSDR', 'http_response_timeout'],
  ['NFCF', 'proxy_configuration_error'],
  ['UPE', 'http_protocol_error'],
  ['NC', 'destination_unavailable'],
  ['DF', 'dns_error'],
]

/** RFC 9209 §2.3; of http_request_error it leaves the status open. */
const RECOMMENDED: Readonly<Record<string, number>> = {
  ...{ connection_timeout: 504, http_response_timeout: 504 },
  ...{ dns_error: 502, connection_refused: 502, connection_terminated: 502, http_protocol_error: 502 },
  ...{ destination_not_found: 500, proxy_configuration_error: 500 },
  ...{ destination_unavailable: 503, connection_limit_reached: 503 },
}

/** Tells of what went wrong with a request, if anything did. */
export function applyProxyStatus(response: HttpResponse, info: StreamInfo, config: ProxyStatusConfig, name: string): void {
  if (info.flags.size === 0) return
  const error = ERRORS.find(([flag]) => info.flags.has(flag))?.[1]
  if (error === undefined) return
  append(response.headers, `${name}; error=${error}${detailsOf(info, config)}`)
  if (config.recommendedStatus) response.status = RECOMMENDED[error] ?? response.status
}

function detailsOf({ details, flags }: StreamInfo, config: ProxyStatusConfig): string {
  if (!config.details || details === '') return ''
  // As in logs; and no reason that somebody else has worded ends the header.
  const why = details.replace(/\s/g, '_')
  const all = config.flags ? `${why}; ${[...flags].join(',')}` : why
  return `; details="${all.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function append(headers: HeaderMap, status: string): void {
  const before = headers.getAll('proxy-status')
  headers.set('proxy-status', [...before, status].join(', '))
}
