import { into, refuse, type Site, warn } from '../decode/site.js'
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicy,
  AuthorizationRule,
  AuthorizationSource,
} from '../kinds/authorization-policy.js'
import { isCidr, isIpAddress } from '../names/ip.js'
import { CODE } from './code.js'
import { checkCondition } from './condition.js'
import { each } from './each.js'
import { checkTargets } from './target-ref.js'

export function validateAuthorizationPolicy(policy: AuthorizationPolicy, at: Site): void {
  const { action, provider, rules } = policy.spec
  checkTargets(policy.spec, at)
  checkDryRun(policy, at)
  if (action === 'CUSTOM') {
    if (rules !== undefined && (provider?.name ?? '') === '')
      refuse(into(into(at, 'provider'), 'name'), CODE.required, '`provider.name` must not be empty')
    each(rules, at, 'rules', checkCustom)
  } else if (provider !== undefined) {
    refuse(into(at, 'provider'), CODE.conflict, `\`provider\` must not be with non CUSTOM action, found ${action}`)
  }
  if ((action === 'CUSTOM' || action === 'DENY') && rules === undefined) {
    const message = `${action} action without \`rules\` is meaningless as it will never be triggered, add an empty rule \`{}\` if you want it be triggered for every request`
    refuse(into(at, 'rules'), CODE.required, message)
  }
  each(rules, at, 'rules', (rule, place) => {
    checkRule(rule, place)
    if (action === 'DENY') warnHttpOnly(rule, place)
  })
}

function checkDryRun({ metadata, spec }: AuthorizationPolicy, at: Site): void {
  const value = metadata.annotations['istio.io/dry-run']
  if (value === undefined) return
  if (spec.action !== 'ALLOW' && spec.action !== 'DENY') {
    refuse(
      at,
      CODE.conflict,
      `the annotation istio.io/dry-run currently only supports action ALLOW/DENY, found action ${spec.action}`,
    )
  } else if (!['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) {
    refuse(at, CODE.invalid, `annotation istio.io/dry-run must be true or false, but is "${value}"`)
  }
}

// What an external authorizer cannot be asked about, because it is known only later.
function checkCustom(rule: AuthorizationRule, at: Site): void {
  const unsupported = [
    'namespaces',
    'notNamespaces',
    'principals',
    'notPrincipals',
    'requestPrincipals',
    'notRequestPrincipals',
  ] as const
  each(rule.from, at, 'from', ({ source }, place) => {
    for (const field of unsupported) {
      if ((source[field] ?? []).length > 0)
        refuse(into(into(place, 'source'), field), CODE.conflict, `${field} is currently not supported with CUSTOM action`)
    }
  })
  each(rule.when, at, 'when', ({ key }, place) => {
    if (key === 'source.namespace' || key === 'source.principal' || key.startsWith('request.auth.')) {
      refuse(into(place, 'key'), CODE.conflict, `${key} is currently not supported with CUSTOM action`)
    }
  })
}

function checkRule(rule: AuthorizationRule, at: Site): void {
  if (rule.from?.length === 0) refuse(into(at, 'from'), CODE.required, '`from` must not be empty')
  if (rule.to?.length === 0) refuse(into(at, 'to'), CODE.required, '`to` must not be empty')
  each(rule.from, at, 'from', ({ source }, place) => {
    checkSource(source, into(place, 'source'))
  })
  each(rule.to, at, 'to', ({ operation }, place) => {
    checkOperation(operation, into(place, 'operation'))
  })
  each(rule.when, at, 'when', (condition: AuthorizationCondition, place) => {
    checkCondition(condition, place)
  })
}

function checkSource(source: AuthorizationSource, at: Site): void {
  checkValues(source as Record<string, readonly string[] | undefined>, at, 'from.source')
  const accounts = [...(source.serviceAccounts ?? []), ...(source.notServiceAccounts ?? [])]
  const others = [source.principals, source.notPrincipals, source.namespaces, source.notNamespaces].flatMap((list) => list ?? [])
  if (accounts.length > 0 && others.length > 0)
    refuse(at, CODE.conflict, 'Cannot set serviceAccounts with namespaces or principals')
  for (const field of ['serviceAccounts', 'notServiceAccounts'] as const) {
    each(source[field], at, field, (account, place) => {
      if (account.includes('*')) refuse(place, CODE.invalid, `wildcard is not supported in ${field}: "${account}"`)
      else if (account.split('/').length > 2) refuse(place, CODE.invalid, `"${account}" must be name or namespace/name`)
    })
  }
  for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const) {
    each(source[field], at, field, (block, place) => {
      if (block === '' || isIpAddress(block) || isCidr(block)) return
      refuse(place, CODE.address, block.includes('/') ? `bad CIDR range (${block})` : `bad IP address (${block})`)
    })
  }
}

// Named variables, `*` and `**` outside braces are not templates that Envoy takes.
const UNSUPPORTED_TEMPLATE = /\/\{\w+=\*\*?\}|\{\w*\}|\/\*\*?|\*\*?\//

function checkOperation(operation: AuthorizationOperation, at: Site): void {
  checkValues(operation as Record<string, readonly string[] | undefined>, at, 'to.operation')
  for (const field of ['ports', 'notPorts'] as const) {
    each(operation[field], at, field, (port, place) => {
      if (port !== '' && (!/^\d+$/.test(port) || Number(port) > 65535)) refuse(place, CODE.port, `bad port (${port})`)
    })
  }
  for (const field of ['paths', 'notPaths'] as const) {
    each(operation[field], at, field, (path, place) => {
      const template = path.includes('{*}') || path.includes('{**}')
      if (template && UNSUPPORTED_TEMPLATE.test(path))
        refuse(place, CODE.invalid, 'invalid or unsupported path template: only {*} for one part and {**} for the rest')
    })
  }
}

// At least one field with a value, and no empty ones.
function checkValues(lists: Readonly<Record<string, readonly string[] | undefined>>, at: Site, name: string): void {
  if (Object.values(lists).every((list) => (list ?? []).length === 0)) refuse(at, CODE.required, `\`${name}\` must not be empty`)
  for (const field of Object.keys(lists)) {
    each(lists[field], at, field, (value, place) => {
      if (value === '') refuse(place, CODE.invalid, `empty value not allowed, found in ${field}`)
    })
  }
}

const TCP_SOURCES = [
  'principals',
  'notPrincipals',
  'ipBlocks',
  'notIpBlocks',
  'namespaces',
  'notNamespaces',
  'remoteIpBlocks',
  'notRemoteIpBlocks',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
] as const

// On a TCP port the HTTP attributes fall away, and what is left of a DENY rule denies more.
function warnHttpOnly(rule: AuthorizationRule, at: Site): void {
  const from = rule.from ?? []
  const to = rule.to ?? []
  const tcpSource = from.some(({ source }) => TCP_SOURCES.some((field) => source[field] !== undefined))
  const tcpTarget = to.some(({ operation }) => operation.ports !== undefined || operation.notPorts !== undefined)
  if (!((from.length > 0 && to.length === 0 && !tcpSource) || (to.length > 0 && !tcpTarget))) return
  const message =
    'configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port'
  warn(at, CODE.noEffect, message)
}
