import type { AuthorizationRule } from '@heddle/config-model'
import type { Permission, Policy, Principal } from '@heddle/xds-types/envoy/config/rbac/v3'
import { STATE } from '../ambient/hbone.js'
import { typed } from '../message.js'
import { bracketPath } from './jwt-claims.js'
import { claimPrincipal, requestPrincipals } from './rbac-claims.js'
import { cidr, headerMatcher, namespaceMatcher, principalMatcher, serviceAccountMatcher, textMatcher } from './rbac-values.js'
import { inTrustDomains, trustDomainMatcher, withAliases } from './trust-domains.js'

type Effect = 'allow' | 'deny'

/**
 * One side of a rule, values and notValues, as ids or permissions of an and-list. `undefined` inside: this filter cannot check the value
 * (HTTP fields on TCP, malformed addresses). An ALLOW rule then disappears, a DENY or AUDIT rule goes without and covers more: both fail closed.
 */
interface Part<T> {
  readonly values: readonly T[] | undefined
  readonly notValues: readonly T[] | undefined
}

interface Context {
  readonly effect: Effect
  /** The mesh's own and its aliases. */
  readonly trustDomains: readonly string[]
  readonly tcp: boolean
  /** See {@link Connection}. */
  readonly tunnelled: boolean
  readonly namespace: string
}

/** The Envoy policy of one rule; undefined when nothing of it may stay. */
export function rulePolicy(rule: AuthorizationRule, context: Context): Policy | undefined {
  const when = conditions(rule, context)
  if (when === undefined) return undefined
  const principals = (rule.from ?? [undefined]).map((from) =>
    from === undefined ? when.principals : [...sourceParts(from.source, context), ...when.principals],
  )
  const permissions = (rule.to ?? [undefined]).map((to) =>
    to === undefined ? when.permissions : [...operationParts(to.operation, context), ...when.permissions],
  )
  const ids = principals.map((parts) => join(parts, context.effect, PRINCIPALS))
  const rules = permissions.map((parts) => join(parts, context.effect, PERMISSIONS))
  if (ids.includes(undefined) || rules.includes(undefined)) return undefined
  return { permissions: rules.filter((r) => r !== undefined), principals: ids.filter((i) => i !== undefined) }
}

interface Combinators<T> {
  readonly any: T
  and(list: readonly T[]): T
  or(list: readonly T[]): T
  not(one: T): T
}

const PRINCIPALS: Combinators<Principal> = {
  any: { any: true },
  and: (ids) => ({ and_ids: { ids } }),
  or: (ids) => ({ or_ids: { ids } }),
  not: (not_id) => ({ not_id }),
}

const PERMISSIONS: Combinators<Permission> = {
  any: { any: true },
  and: (rules) => ({ and_rules: { rules } }),
  or: (rules) => ({ or_rules: { rules } }),
  not: (not_rule) => ({ not_rule }),
}

/** Values already combined, such as claims, come as one element of `single`. */
interface Checked<T> extends Part<T | undefined> {
  readonly single?: boolean
}

function join<T>(parts: readonly Checked<T>[], effect: Effect, combine: Combinators<T>): T | undefined {
  const all: T[] = []
  /** False: one of the values cannot be checked, and that must not let anybody in. */
  const add = (values: Part<T | undefined>['values'], negate: boolean, single: boolean): boolean => {
    if (values === undefined || values.length === 0) return true
    if (effect === 'allow' && values.includes(undefined)) return false
    const known = values.filter((v) => v !== undefined) as T[]
    const [first] = known
    if (first === undefined) return true
    const either = single ? first : combine.or(known)
    all.push(negate ? combine.not(either) : either)
    return true
  }
  for (const { values, notValues, single = false } of parts)
    if (!add(values, false, single) || !add(notValues, true, single)) return undefined
  return combine.and(all.length === 0 ? [combine.any] : all)
}

/** Nothing is said. */
const SILENT: Checked<never> = { values: undefined, notValues: undefined }

function part<T>(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  make: (value: string) => T | undefined,
): Checked<T> {
  if (values === undefined && notValues === undefined) return SILENT
  return { values: values?.map(make), notValues: notValues?.map(make) }
}

function whole<T>(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  make: (values: readonly string[]) => T | undefined,
): Checked<T> {
  if (values === undefined && notValues === undefined) return SILENT
  const of = (list: readonly string[] | undefined): (T | undefined)[] | undefined =>
    list === undefined || list.length === 0 ? undefined : [make(list)]
  return { values: of(values), notValues: of(notValues), single: true }
}

type Source = NonNullable<AuthorizationRule['from']>[number]['source']
type Operation = NonNullable<AuthorizationRule['to']>[number]['operation']

/** The client's name, from its certificate or from the tunnel that it came through. */
function peer({ tunnelled }: Context, name: ReturnType<typeof textMatcher>): Principal {
  if (tunnelled) return { filter_state: { key: STATE.peerPrincipal, string_match: name } }
  return { authenticated: { principal_name: name } }
}

function sourceParts(s: Source, context: Context): Checked<Principal>[] {
  const { tcp, namespace } = context
  return [
    principalPart(s.principals, s.notPrincipals, context),
    whole(s.requestPrincipals, s.notRequestPrincipals, (v) => (tcp ? undefined : requestPrincipals(v))),
    part(s.namespaces, s.notNamespaces, (v) => peer(context, namespaceMatcher(v))),
    part(s.serviceAccounts, s.notServiceAccounts, (v) => peer(context, serviceAccountMatcher(v, namespace))),
    part(s.remoteIpBlocks, s.notRemoteIpBlocks, remoteIp),
    part(s.ipBlocks, s.notIpBlocks, sourceIp),
    trustDomainPart(s.trustDomains, s.notTrustDomains, context),
  ]
}

function principalPart(values: Values, notValues: Values, context: Context): Checked<Principal> {
  const all = (list: Values): Values => list?.flatMap((v) => inTrustDomains(v, context.trustDomains))
  return part(all(values), all(notValues), (v) => peer(context, principalMatcher(v)))
}

function trustDomainPart(values: Values, notValues: Values, context: Context): Checked<Principal> {
  const all = (list: Values): Values => (list === undefined ? undefined : withAliases(list, context.trustDomains))
  return part(all(values), all(notValues), (v) => peer(context, trustDomainMatcher(v)))
}

function operationParts(o: Operation, { tcp }: Context): Checked<Permission>[] {
  const http =
    <T>(make: (value: string) => T) =>
    (value: string): T | undefined =>
      tcp ? undefined : make(value)
  return [
    part(
      o.hosts,
      o.notHosts,
      http((v) => ({ header: headerMatcher(':authority', v, true) })),
    ),
    part(
      o.methods,
      o.notMethods,
      http((v) => ({ header: headerMatcher(':method', v) })),
    ),
    part(o.paths, o.notPaths, http(pathPermission)),
    part(o.ports, o.notPorts, portPermission),
  ]
}

function pathPermission(value: string): Permission {
  if (!value.includes('{*}') && !value.includes('{**}')) return { url_path: { path: textMatcher(value) } }
  const template = value.replaceAll('{**}', '**').replaceAll('{*}', '*')
  return {
    uri_template: {
      name: 'uri-template',
      typed_config: typed('envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig', { path_template: template }),
    },
  }
}

function portPermission(value: string): Permission | undefined {
  const port = Number(value)
  return Number.isInteger(port) && port > 0 && port <= 65535 ? { destination_port: port } : undefined
}

function sourceIp(value: string): Principal | undefined {
  const range = cidr(value)
  return range === undefined ? undefined : { direct_remote_ip: range }
}

function remoteIp(value: string): Principal | undefined {
  const range = cidr(value)
  return range === undefined ? undefined : { remote_ip: range }
}

interface Conditions {
  readonly principals: readonly Checked<Principal>[]
  readonly permissions: readonly Checked<Permission>[]
}

/** `when`, each condition on the side where Envoy has it; undefined for a key that does not exist. */
function conditions(rule: AuthorizationRule, context: Context): Conditions | undefined {
  const principals: Checked<Principal>[] = []
  const permissions: Checked<Permission>[] = []
  for (const { key, values, notValues } of rule.when ?? []) {
    const principal = principalCondition(key, values, notValues, context)
    const permission = principal === undefined ? permissionCondition(key, values, notValues) : undefined
    if (principal !== undefined) principals.push(principal)
    else if (permission !== undefined) permissions.push(permission)
    else return undefined
  }
  return { principals, permissions }
}

type Values = readonly string[] | undefined

function principalCondition(key: string, values: Values, notValues: Values, context: Context): Checked<Principal> | undefined {
  const { tcp } = context
  const claims = (path: readonly string[] | undefined): Checked<Principal> =>
    whole(values, notValues, (v) => (tcp || path === undefined ? undefined : claimPrincipal(path, v)))
  switch (key) {
    case 'source.ip':
      return part(values, notValues, sourceIp)
    case 'remote.ip':
      return part(values, notValues, remoteIp)
    case 'source.namespace':
      return part(values, notValues, (v) => peer(context, namespaceMatcher(v)))
    case 'source.serviceAccount':
      return part(values, notValues, (v) => peer(context, serviceAccountMatcher(v, context.namespace)))
    case 'source.trustDomain':
      return trustDomainPart(values, notValues, context)
    case 'source.principal':
      return principalPart(values, notValues, context)
    case 'request.auth.principal':
      return whole(values, notValues, (v) => (tcp ? undefined : requestPrincipals(v)))
    case 'request.auth.audiences':
      return claims(['aud'])
    case 'request.auth.presenter':
      return claims(['azp'])
    default:
      if (key.startsWith('request.auth.claims')) return claims(bracketPath(key.slice('request.auth.claims'.length)))
      if (!key.startsWith('request.headers')) return undefined
      return headerCondition(key, values, notValues, tcp)
  }
}

function headerCondition(key: string, values: Values, notValues: Values, tcp: boolean): Checked<Principal> {
  const [name] = bracketPath(key.slice('request.headers'.length)) ?? []
  return part(values, notValues, (v) => (tcp || name === undefined ? undefined : { header: headerMatcher(name, v) }))
}

function permissionCondition(key: string, values: Values, notValues: Values): Checked<Permission> | undefined {
  switch (key) {
    case 'destination.ip':
      return part(values, notValues, (v) => {
        const range = cidr(v)
        return range === undefined ? undefined : { destination_ip: range }
      })
    case 'destination.port':
      return part(values, notValues, portPermission)
    case 'connection.sni':
      return part(values, notValues, (v) => ({ requested_server_name: textMatcher(v) }))
    default:
      return key.startsWith('experimental.envoy.filters.') ? whole(values, notValues, (v) => filterMetadata(key, v)) : undefined
  }
}

/** `experimental.envoy.filters.a.b[c]`: what another filter left; `[v]` is an element of a list. */
function filterMetadata(key: string, values: readonly string[]): Permission | undefined {
  const [, filter, name] = /^experimental\.([^[]+)\[(.*)\]$/.exec(key) ?? []
  if (filter === undefined || name === undefined) return undefined
  const matchers = values.map((v) =>
    v.startsWith('[') && v.endsWith(']')
      ? { list_match: { one_of: { string_match: textMatcher(v.slice(1, -1)) } } }
      : { string_match: textMatcher(v) },
  )
  const [only] = matchers
  return {
    metadata: {
      filter,
      path: [{ key: name }],
      value: matchers.length === 1 && only !== undefined ? only : { or_match: { value_matchers: matchers } },
    },
  }
}
