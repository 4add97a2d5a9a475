import type { Permission, Policy, Principal, RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { RbacQuestion } from './question.js'

/** A second, slow evaluator for tests: straight from the proto's words, with nothing of the first. */

type Json = Readonly<Record<string, unknown>>

export function referenceAllows(rbac: RBAC, asked: RbacQuestion): boolean {
  const policies = Object.values(rbac.policies ?? {})
  const matched = policies.some((policy) => policyMatches(policy, asked))
  if (rbac.action === 'LOG') return true
  return rbac.action === 'DENY' ? !matched : matched
}

function policyMatches({ permissions = [], principals = [] }: Policy, asked: RbacQuestion): boolean {
  return (
    permissions.filter((permission) => permitted(permission, asked)).length > 0 &&
    principals.filter((principal) => identified(principal, asked)).length > 0
  )
}

function permitted(permission: Permission, asked: RbacQuestion): boolean {
  const [kind, value] = Object.entries(permission)[0] as [string, never]
  switch (kind) {
    case 'any':
      return value
    case 'and_rules':
      return !(value as { rules: Permission[] }).rules.some((rule) => !permitted(rule, asked))
    case 'or_rules':
      return (value as { rules: Permission[] }).rules.some((rule) => permitted(rule, asked))
    case 'not_rule':
      return !permitted(value, asked)
    case 'destination_port':
      return asked.destination.port === value
    case 'destination_port_range':
      return asked.destination.port >= value['start'] && asked.destination.port < value['end']
    case 'destination_ip':
      return inRange(asked.destination.address, value)
    case 'requested_server_name':
      return text(value, asked.serverName)
    default:
      return ofRequest(kind, value, asked)
  }
}

function identified(principal: Principal, asked: RbacQuestion): boolean {
  const [kind, value] = Object.entries(principal)[0] as [string, never]
  switch (kind) {
    case 'any':
      return value
    case 'and_ids':
      return !(value as { ids: Principal[] }).ids.some((id) => !identified(id, asked))
    case 'or_ids':
      return (value as { ids: Principal[] }).ids.some((id) => identified(id, asked))
    case 'not_id':
      return !identified(value, asked)
    case 'direct_remote_ip':
      return inRange(asked.directSource, value)
    case 'remote_ip':
      return inRange(asked.source, value)
    case 'authenticated': {
      const name = (value as { principal_name?: Json }).principal_name
      return asked.authenticated && (name === undefined || asked.principals.some((each) => text(name, each)))
    }
    default:
      return ofRequest(kind, value, asked)
  }
}

function ofRequest(kind: string, value: Json, { head, metadata }: RbacQuestion): boolean {
  if (kind === 'metadata') {
    const {
      filter,
      path,
      value: wanted,
      invert,
    } = value as { filter: string; path: { key: string }[]; value: Json; invert?: boolean }
    let at: unknown = metadata.get(filter)
    for (const { key } of path) at = (at as Json | undefined)?.[key]
    return (typeof at === 'string' && text(wanted['string_match'] as Json, at)) !== (invert === true)
  }
  if (head === undefined) return false
  if (kind === 'url_path') return text(value['path'] as Json, head.path.split(/[?#]/)[0]!)
  const { name, string_match, present_match, invert_match } = value as {
    name: string
    string_match?: Json
    present_match?: boolean
    invert_match?: boolean
  }
  const values =
    name === ':method'
      ? [head.method]
      : name === ':authority'
        ? [head.authority]
        : [...head.headers].filter(([each]) => each === name).map(([, each]) => each)
  if (present_match !== undefined) return (values.length > 0 === present_match) !== (invert_match === true)
  return values.length > 0 && values.some((each) => text(string_match!, each)) !== (invert_match === true)
}

function text(matcher: Json, value: string): boolean {
  const fold = (each: string): string => (matcher['ignore_case'] === true ? each.toLowerCase() : each)
  const [kind, wanted] = Object.entries(matcher).find(([name]) => name !== 'ignore_case')!
  if (kind === 'safe_regex') return new RegExp(`^(?:${(wanted as { regex: string }).regex})$`).test(value)
  const [found, sought] = [fold(value), fold(wanted as string)]
  if (kind === 'exact') return found === sought
  if (kind === 'prefix') return found.slice(0, sought.length) === sought
  return kind === 'suffix' ? found.slice(Math.max(0, found.length - sought.length)) === sought : found.indexOf(sought) >= 0
}

function inRange(address: string, { address_prefix, prefix_len }: { address_prefix: string; prefix_len: number }): boolean {
  const bits = (ip: string): string =>
    ip
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  return bits(address).slice(0, prefix_len) === bits(address_prefix).slice(0, prefix_len)
}
