import { validateAuthorizationPolicy } from '../checks/authorization-policy.js'
import { fields } from '../decode/fields.js'
import { listOf, oneOf, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { MatchLabelsSelector, PolicyTargetReference } from './common.js'
import { matchLabelsSelector, targetReference, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'

/** security.istio.io AuthorizationPolicy. */
export interface AuthorizationPolicySpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  /** Default ALLOW. */
  action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'
  /** Of CUSTOM: the extension provider of MeshConfig. */
  provider?: { name: string }
  /** Absent or empty: nothing matches, so ALLOW denies all. A rule `{}` matches everything. */
  rules?: readonly AuthorizationRule[]
}

export type AuthorizationPolicy = Resource<'AuthorizationPolicy', AuthorizationPolicySpec>

export interface AuthorizationRule {
  from?: readonly { source: AuthorizationSource }[]
  to?: readonly { operation: AuthorizationOperation }[]
  when?: readonly AuthorizationCondition[]
}

/** All set fields must match, one value of each is enough. */
export interface AuthorizationSource {
  principals?: readonly string[]
  notPrincipals?: readonly string[]
  requestPrincipals?: readonly string[]
  notRequestPrincipals?: readonly string[]
  namespaces?: readonly string[]
  notNamespaces?: readonly string[]
  serviceAccounts?: readonly string[]
  notServiceAccounts?: readonly string[]
  ipBlocks?: readonly string[]
  notIpBlocks?: readonly string[]
  remoteIpBlocks?: readonly string[]
  notRemoteIpBlocks?: readonly string[]
  trustDomains?: readonly string[]
  notTrustDomains?: readonly string[]
}

export interface AuthorizationOperation {
  hosts?: readonly string[]
  notHosts?: readonly string[]
  ports?: readonly string[]
  notPorts?: readonly string[]
  methods?: readonly string[]
  notMethods?: readonly string[]
  paths?: readonly string[]
  notPaths?: readonly string[]
}

export interface AuthorizationCondition {
  /** `request.headers[x]`, `source.ip`, ... */
  key: string
  values?: readonly string[]
  notValues?: readonly string[]
}

const source = fields<AuthorizationSource>({
  principals: texts,
  notPrincipals: texts,
  requestPrincipals: texts,
  notRequestPrincipals: texts,
  namespaces: texts,
  notNamespaces: texts,
  serviceAccounts: texts,
  notServiceAccounts: texts,
  ipBlocks: texts,
  notIpBlocks: texts,
  remoteIpBlocks: texts,
  notRemoteIpBlocks: texts,
  trustDomains: texts,
  notTrustDomains: texts,
})

const operation = fields<AuthorizationOperation>({
  hosts: texts,
  notHosts: texts,
  ports: texts,
  notPorts: texts,
  methods: texts,
  notMethods: texts,
  paths: texts,
  notPaths: texts,
})

const rule = fields<AuthorizationRule>({
  from: listOf(fields<{ source: AuthorizationSource }>({ source }, { required: ['source'] })),
  to: listOf(fields<{ operation: AuthorizationOperation }>({ operation }, { required: ['operation'] })),
  when: listOf(fields<AuthorizationCondition>({ key: text, values: texts, notValues: texts }, { defaults: { key: '' } })),
})

export const authorizationPolicy: Kind<AuthorizationPolicy> = defineKind<AuthorizationPolicy>({
  name: 'AuthorizationPolicy',
  groups: ['security.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<AuthorizationPolicySpec>(
    {
      selector: matchLabelsSelector,
      targetRef: targetReference,
      targetRefs: listOf(targetReference),
      action: oneOf('ALLOW', 'DENY', 'AUDIT', 'CUSTOM'),
      provider: fields<{ name: string }>({ name: text }, { defaults: { name: '' } }),
      rules: listOf(rule),
    },
    { defaults: { action: 'ALLOW' } },
  ),
  validate: validateAuthorizationPolicy,
})
