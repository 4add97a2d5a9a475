import { bodyOf, emptyBody } from '../../http/body.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import type { ProbeAnswer } from './exchange-probe.js'
import { failed, type HttpHealthCheck, type ProbeResult } from './health-check.js'
import { holdsInOrder } from './payload.js'
import { probeEntry } from './probe-entry.js'

/** The request of an HTTP check; `hostname` is the endpoint's own for checks. */
export function httpCheckRequest(config: HttpHealthCheck, cluster: string, hostname: string, tls: boolean): HttpRequest {
  const headers = createHeaderMap([['user-agent', 'Envoy/HC']])
  config.addHeaders(headers, probeEntry(headers))
  return {
    method: config.method,
    scheme: tls ? 'https' : 'http',
    authority: hostname || config.host || cluster,
    path: config.path,
    protocol: config.http2 ? 'HTTP/2' : 'HTTP/1.1',
    headers,
    body: config.body === undefined ? emptyBody : bodyOf(config.body),
  }
}

/** Envoy's HttpHealthCheckerImpl on an answer. */
export function judgeHttpCheck(config: HttpHealthCheck, { status, headers, body }: ProbeAnswer): ProbeResult {
  const excluded = headers.has('x-envoy-immediate-health-check-fail')
  if (!config.isExpected(status)) return failed('ACTIVE', config.isRetriable(status), excluded)
  if (config.receive.length > 0 && !holdsInOrder(body, config.receive)) return failed('ACTIVE', false, excluded)
  if (config.matchesService?.(headers.get('x-envoy-upstream-healthchecked-cluster') ?? '') === false)
    return failed('ACTIVE', false, excluded)
  if (excluded) return failed('ACTIVE', false, true)
  return { ok: true, degraded: headers.has('x-envoy-degraded') }
}
