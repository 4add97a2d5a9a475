import { into, refuse, type Site } from '../decode/site.js'
import type { ReadinessProbe, WorkloadGroup } from '../kinds/workload-group.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkHeaderName } from './header.js'
import { checkLabels } from './labels.js'
import { checkPort } from './port.js'

export function validateWorkloadGroup({ spec }: WorkloadGroup, at: Site): void {
  checkLabels(spec.metadata?.labels, into(at, 'metadata'), 'labels')
  if (spec.probe !== undefined) checkProbe(spec.probe, into(at, 'probe'))
}

const NUMBERS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const

function checkProbe(probe: ReadinessProbe, at: Site): void {
  for (const field of NUMBERS) if ((probe[field] ?? 0) < 0) refuse(into(at, field), CODE.range, `${field} must be non-negative`)
  const { httpGet, tcpSocket, exec, grpc } = probe
  const methods = [httpGet, tcpSocket, exec, grpc].filter((method) => method !== undefined)
  if (methods.length !== 1) refuse(at, CODE.required, 'exactly one of httpGet, tcpSocket, exec and grpc must be set')
  if (httpGet !== undefined) {
    const place = into(at, 'httpGet')
    checkPort(httpGet.port, into(place, 'port'))
    if (!['', 'HTTP', 'HTTPS'].includes(httpGet.scheme ?? ''))
      refuse(into(place, 'scheme'), CODE.invalid, 'httpGet.scheme must be one of "HTTPS", "HTTP"')
    each(httpGet.httpHeaders, place, 'httpHeaders', ({ name }, where) => {
      checkHeaderName(name, into(where, 'name'))
    })
  }
  if (tcpSocket !== undefined) checkPort(tcpSocket.port, into(into(at, 'tcpSocket'), 'port'))
  if (exec?.command.length === 0) refuse(into(into(at, 'exec'), 'command'), CODE.required, 'exec.command is required')
  if (grpc?.port !== undefined && grpc.port !== 0) checkPort(grpc.port, into(into(at, 'grpc'), 'port'))
}
