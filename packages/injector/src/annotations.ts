import type { Diagnostic } from '@heddle/runtime'
import { problem } from '@heddle/runtime'
import type { Metadata } from './kubernetes.js'

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** A boolean as Go's strconv.ParseBool reads it; undefined for anything else. */
export function parseBool(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
}

/** The annotation, or `otherwise` where there is none; an empty annotation counts. */
export function annotation(metadata: Metadata | undefined, name: string, otherwise: string | number | boolean): string {
  return metadata?.annotations?.[name] ?? String(otherwise)
}

type Check = (value: string) => string | undefined

const CHECKS: Readonly<Record<string, Check>> = {
  'sidecar.istio.io/interceptionMode': (value) =>
    ['REDIRECT', 'TPROXY', 'NONE'].includes(value) ? undefined : 'interceptionMode invalid, use REDIRECT, TPROXY or NONE',
  'status.sidecar.istio.io/port': (value) => (isPort(value) ? undefined : 'statusPort invalid, use 0 to 65535'),
  'readiness.status.sidecar.istio.io/initialDelaySeconds': seconds,
  'readiness.status.sidecar.istio.io/periodSeconds': seconds,
  'readiness.status.sidecar.istio.io/failureThreshold': seconds,
  'traffic.sidecar.istio.io/includeOutboundIPRanges': (value) => (value === '*' ? undefined : ranges('includeIPRanges', value)),
  'traffic.sidecar.istio.io/excludeOutboundIPRanges': (value) => ranges('excludeIPRanges', value),
  'traffic.sidecar.istio.io/includeInboundPorts': (value) => (value === '*' ? undefined : ports('includeInboundPorts', value)),
  'traffic.sidecar.istio.io/excludeInboundPorts': (value) => ports('excludeInboundPorts', value),
  'traffic.sidecar.istio.io/includeOutboundPorts': (value) => ports('includeOutboundPorts', value),
  'traffic.sidecar.istio.io/excludeOutboundPorts': (value) => ports('excludeOutboundPorts', value),
  'prometheus.istio.io/merge-metrics': (value) => (parseBool(value) === undefined ? 'use true or false' : undefined),
  'sidecar.istio.io/userVolume': namedJson,
  'sidecar.istio.io/userVolumeMount': namedJson,
}

/** What is wrong with the annotations that steer injection. */
export function checkAnnotations(metadata: Metadata | undefined): Diagnostic[] {
  return Object.entries(metadata?.annotations ?? {}).flatMap(([name, value]) => {
    const why = typeof value === 'string' ? CHECKS[name]?.(value) : 'quote it: annotations are strings'
    if (why === undefined) return []
    return [
      problem(
        'inject.invalid_annotation',
        `metadata.annotations["${name}"]`,
        `Invalid value ${JSON.stringify(value)} of ${name}: ${why}.`,
      ),
    ]
  })
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) <= 65_535
}

function seconds(value: string): string | undefined {
  return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32 ? undefined : 'use a whole number, 0 or more'
}

function ports(name: string, list: string): string | undefined {
  const wrong = list.trim() === '' ? undefined : list.split(',').find((port) => !isPort(port))
  return wrong === undefined ? undefined : `${name} invalid, ${JSON.stringify(wrong)} is no port`
}

function ranges(name: string, list: string): string | undefined {
  const wrong = list === '' ? undefined : list.split(',').find((range) => !isCidr(range))
  return wrong === undefined ? undefined : `${name} invalid, ${JSON.stringify(wrong)} is no CIDR range`
}

function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address))
    return Number(length) <= 32 && address.split('.').every((byte) => Number(byte) <= 255)
  return Number(length) <= 128 && isIpv6(address)
}

function isIpv6(address: string): boolean {
  const halves = address.split('::')
  if (halves.length > 2 || address.length > 45) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  return (
    groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? groups.length < 8 : groups.length === 8)
  )
}

function namedJson(value: string): string | undefined {
  const isObject = (item: unknown): item is object => typeof item === 'object' && item !== null && !Array.isArray(item)
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    return 'it is no JSON'
  }
  if (isObject(parsed)) return Object.values(parsed).every(isObject) ? undefined : 'each value must be an object'
  const named = (item: unknown): boolean => isObject(item) && typeof (item as { name?: unknown }).name === 'string'
  return Array.isArray(parsed) && parsed.every(named)
    ? undefined
    : 'it must be an object by name, or a list of objects with names'
}
