import { isRecord } from '../../decode/value.js'
import { isCidr } from '../../names/ip.js'
import { loadDocument } from '../../yaml/load.js'

type Check = (value: string) => string | undefined

/** What is wrong with the value of an annotation of a pod; undefined: nothing. The rules are the injector's. */
export function annotationProblem(name: string, value: string): string | undefined {
  return Object.hasOwn(CHECKS, name) ? CHECKS[name]?.(value) : undefined
}

const wholeNumber: Check = (value) =>
  /^\d+$/.test(value) && Number(value) < 2 ** 32 ? undefined : `${JSON.stringify(value)} is not a whole number`

const flag: Check = (value) =>
  ['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)
    ? undefined
    : `${JSON.stringify(value)} is not true or false`

const mode: Check = (value) =>
  ['REDIRECT', 'TPROXY', 'NONE'].includes(value) ? undefined : `interceptionMode invalid, use REDIRECT,TPROXY,NONE: ${value}`

const portProblem: Check = (value) =>
  /^\d+$/.test(value.trim()) && Number(value) < 65536 ? undefined : `failed parsing port '${value}'`

const ports: Check = (value) =>
  value.trim() === ''
    ? undefined
    : value
        .split(',')
        .map(portProblem)
        .find((problem) => problem !== undefined)

const ranges: Check = (value) => {
  const bad = value === '' ? undefined : value.split(',').find((cidr) => !isCidr(cidr))
  return bad === undefined ? undefined : `failed parsing cidr '${bad}'`
}

const orAll =
  (check: Check): Check =>
  (value) =>
    value === '*' ? undefined : check(value)

const object: Check = (value) => {
  const loaded = loadDocument(value)
  if (!loaded.ok) return `failed to convert to apply proxy config: ${loaded.message}`
  return loaded.value === null || isRecord(loaded.value) ? undefined : 'failed to convert to apply proxy config: not an object'
}

const CHECKS: Readonly<Record<string, Check>> = {
  'sidecar.istio.io/interceptionMode': mode,
  'status.sidecar.istio.io/port': portProblem,
  'readiness.status.sidecar.istio.io/initialDelaySeconds': wholeNumber,
  'readiness.status.sidecar.istio.io/periodSeconds': wholeNumber,
  'readiness.status.sidecar.istio.io/failureThreshold': wholeNumber,
  'traffic.sidecar.istio.io/includeOutboundIPRanges': orAll(ranges),
  'traffic.sidecar.istio.io/excludeOutboundIPRanges': ranges,
  'traffic.sidecar.istio.io/includeInboundPorts': orAll(ports),
  'traffic.sidecar.istio.io/excludeInboundPorts': ports,
  'traffic.sidecar.istio.io/excludeOutboundPorts': ports,
  'prometheus.istio.io/merge-metrics': flag,
  'proxy.istio.io/config': object,
}
