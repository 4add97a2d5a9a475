import { fields } from '../../decode/fields.js'
import { duration, int32, listOf, oneOf, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import type { Duration } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import { type PolicyTarget, policyTarget } from './backend-tls-policy.js'
import type { SessionPersistence } from './http-route.js'

/** gateway.networking.x-k8s.io XBackendTrafficPolicy: how much is retried against Services, and which requests belong together. */
export interface XBackendTrafficPolicySpec {
  targetRefs: readonly PolicyTarget[]
  retryConstraint?: {
    budget?: { percent?: number; interval?: Duration }
    minRetryRate?: { count?: number; interval?: Duration }
  }
  sessionPersistence?: SessionPersistence
}

export type XBackendTrafficPolicy = Resource<'XBackendTrafficPolicy', XBackendTrafficPolicySpec>

type RetryConstraint = NonNullable<XBackendTrafficPolicySpec['retryConstraint']>

export const backendTrafficPolicy: Kind<XBackendTrafficPolicy> = defineKind<XBackendTrafficPolicy>({
  name: 'XBackendTrafficPolicy',
  groups: ['gateway.networking.x-k8s.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<XBackendTrafficPolicySpec>(
    {
      targetRefs: listOf(policyTarget),
      retryConstraint: fields<RetryConstraint>(
        {
          budget: fields<NonNullable<RetryConstraint['budget']>>({ percent: int32, interval: duration }, { open: true }),
          minRetryRate: fields<NonNullable<RetryConstraint['minRetryRate']>>(
            { count: int32, interval: duration },
            { open: true },
          ),
        },
        { open: true },
      ),
      sessionPersistence: fields<SessionPersistence>(
        {
          sessionName: text,
          type: oneOf('Cookie', 'Header'),
          absoluteTimeout: duration,
          idleTimeout: duration,
          cookieConfig: fields<NonNullable<SessionPersistence['cookieConfig']>>(
            { lifetimeType: oneOf('Permanent', 'Session') },
            { open: true },
          ),
        },
        { open: true },
      ),
    },
    { required: ['targetRefs'], open: true },
  ),
})
