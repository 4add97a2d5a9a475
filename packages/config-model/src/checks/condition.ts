import { suggest } from '@heddle/runtime'
import { into, refuse, type Site } from '../decode/site.js'
import type { AuthorizationCondition } from '../kinds/authorization-policy.js'
import { isCidr, isIpAddress } from '../names/ip.js'
import { CODE } from './code.js'
import { each } from './each.js'

// Keys of conditions, and what their values are. A `[` at the end: the key goes on with a name in brackets.
const KEYS: Readonly<Record<string, 'text' | 'ip' | 'port'>> = {
  'request.headers[': 'text',
  'source.ip': 'ip',
  'remote.ip': 'ip',
  'source.namespace': 'text',
  'source.serviceAccount': 'text',
  'source.trustDomain': 'text',
  'source.principal': 'text',
  'request.auth.principal': 'text',
  'request.auth.audiences': 'text',
  'request.auth.presenter': 'text',
  'request.auth.claims[': 'text',
  'destination.ip': 'ip',
  'destination.port': 'port',
  'connection.sni': 'text',
  'experimental.envoy.filters.': 'text',
}

const GONE: Readonly<Record<string, string>> = {
  'destination.namespace': 'is replaced by the metadata.namespace',
  'destination.labels': 'is replaced by the workload selector',
  'destination.name': 'is deprecated: only supported in v1alpha1',
  'destination.user': 'is deprecated: only supported in v1alpha1',
}

/** One `when` of an AuthorizationPolicy. */
export function checkCondition(condition: AuthorizationCondition, at: Site): void {
  const { key, values = [], notValues = [] } = condition
  if (key === '') {
    refuse(into(at, 'key'), CODE.required, '`key` must not be empty')
    return
  }
  if (values.length === 0 && notValues.length === 0) {
    refuse(at, CODE.required, `at least one of \`values\` or \`notValues\` must be set for key ${key}`)
    return
  }
  const type = checkKey(key, into(at, 'key'))
  for (const field of ['values', 'notValues'] as const) {
    each(condition[field], at, field, (value, place) => {
      if (value === '') refuse(place, CODE.invalid, `empty value not allowed, found in ${key}`)
      else if (type === 'ip' && !isIpAddress(value) && !isCidr(value))
        refuse(place, CODE.address, `bad IP address or CIDR range (${value})`)
      else if (type === 'port' && (!/^\d+$/.test(value) || Number(value) > 65535)) refuse(place, CODE.port, `bad port (${value})`)
    })
  }
}

function checkKey(key: string, at: Site): 'text' | 'ip' | 'port' | undefined {
  const gone = Object.keys(GONE).find((name) => key === name || key.startsWith(`${name}[`))
  if (gone !== undefined) {
    refuse(at, CODE.invalid, `attribute ${key} ${GONE[gone]}`)
    return undefined
  }
  if (Object.hasOwn(KEYS, key) && !key.endsWith('[') && !key.endsWith('.')) return KEYS[key]
  const open = Object.keys(KEYS).find(
    (name) => (name.endsWith('[') || name.endsWith('.')) && key.startsWith(name.replace('[', '')),
  )
  if (open === undefined) {
    const meant = suggest(key, Object.keys(KEYS))
    refuse(at, CODE.invalid, `unknown attribute: ${key}${meant === undefined ? '' : `, did you mean ${meant}?`}`)
    return undefined
  }
  const bracket = key.indexOf('[')
  if (!key.endsWith(']') || bracket <= 0 || bracket >= key.length - 2)
    refuse(at, CODE.invalid, `bad key (${key}): should have format a[b]`)
  return KEYS[open]
}
