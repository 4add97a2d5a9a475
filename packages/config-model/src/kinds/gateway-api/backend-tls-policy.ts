import { fields } from '../../decode/fields.js'
import { listOf, oneOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import { defineKind, type Kind } from '../kind.js'
import { GATEWAY_API_GROUP, type ObjectReferenceTo, objectReferenceTo } from './references.js'

/** gateway.networking.k8s.io BackendTLSPolicy: how connections to Services are encrypted. */
export interface BackendTLSPolicySpec {
  targetRefs: readonly PolicyTarget[]
  validation: BackendTLSValidation
}

export type BackendTLSPolicy = Resource<'BackendTLSPolicy', BackendTLSPolicySpec>

/** An object of the policy's namespace, or one port of it by name. */
export interface PolicyTarget {
  group: string
  kind: string
  name: string
  sectionName?: string
}

export interface BackendTLSValidation {
  caCertificateRefs?: readonly ObjectReferenceTo[]
  wellKnownCACertificates?: string
  /** SNI, and the name that the certificate must have where no other is listed. */
  hostname: string
  subjectAltNames?: readonly { type: 'Hostname' | 'URI'; hostname?: string; uri?: string }[]
}

export const policyTarget: ReturnType<typeof fields<PolicyTarget>> = fields<PolicyTarget>(
  { group: text, kind: text, name: text, sectionName: text },
  { required: ['kind', 'name'], defaults: { group: '' }, open: true },
)

export const backendTlsPolicy: Kind<BackendTLSPolicy> = defineKind<BackendTLSPolicy>({
  name: 'BackendTLSPolicy',
  groups: [GATEWAY_API_GROUP],
  namespaced: true,
  body: 'spec',
  spec: fields<BackendTLSPolicySpec>(
    {
      targetRefs: listOf(policyTarget),
      validation: fields<BackendTLSValidation>(
        {
          caCertificateRefs: listOf(objectReferenceTo),
          wellKnownCACertificates: text,
          hostname: text,
          subjectAltNames: listOf(
            fields<NonNullable<BackendTLSValidation['subjectAltNames']>[number]>(
              { type: oneOf('Hostname', 'URI'), hostname: text, uri: text },
              { required: ['type'], open: true },
            ),
          ),
        },
        { required: ['hostname'], open: true },
      ),
    },
    { required: ['targetRefs', 'validation'], open: true },
  ),
})
