import { HealthCheckRequest, HealthCheckResponse } from '@heddle/xds-types/grpc/health/v1'
import { bodyOf } from '../../http/body.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import { frameMessage, MessageReader } from '../grpc-messages.js'
import { GRPC_STATUS, statusIn } from '../grpc-status.js'
import type { ProbeAnswer } from './exchange-probe.js'
import { failed, type GrpcHealthCheck, PASSED, type ProbeResult } from './health-check.js'
import { probeEntry } from './probe-entry.js'

/** The largest answer that is looked at; a status has a few bytes. */
export const MAX_ANSWER_BYTES = 4096

/** grpc.health.v1.Health/Check. */
export function grpcCheckRequest(config: GrpcHealthCheck, cluster: string, hostname: string, tls: boolean): HttpRequest {
  const headers = createHeaderMap([
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ['user-agent', 'Envoy/HC'],
  ])
  config.addHeaders(headers, probeEntry(headers))
  return {
    method: 'POST',
    scheme: tls ? 'https' : 'http',
    authority: hostname || config.authority || cluster,
    path: '/grpc.health.v1.Health/Check',
    protocol: 'HTTP/2',
    headers,
    body: bodyOf(frameMessage(HealthCheckRequest.encode(config.service === '' ? {} : { service: config.service }))),
  }
}

/** SERVING alone is health. */
export function judgeGrpcCheck({ status, headers, trailers, body }: ProbeAnswer): ProbeResult {
  if (status !== 200) return failed('ACTIVE')
  const grpc = statusIn(trailers ?? headers)
  if (grpc?.code !== GRPC_STATUS.ok) return failed('ACTIVE')
  let serving = false
  const reader = new MessageReader(MAX_ANSWER_BYTES, (message) => {
    const decoded = HealthCheckResponse.decode(message)
    serving = decoded.ok && decoded.value.status === 'SERVING'
  })
  return reader.push(body) === undefined && reader.clean && serving ? PASSED : failed('ACTIVE')
}
