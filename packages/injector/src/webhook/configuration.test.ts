import { type LabelSelector, matchesSelector } from '@heddle/config-model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../decide.js'
import { webhookConfiguration } from './configuration.js'

interface Hook {
  namespaceSelector: LabelSelector
  objectSelector: LabelSelector
  clientConfig: { caBundle: string; url?: string; service?: object }
}
const hooksOf = (options: object): Hook[] =>
  (webhookConfiguration({ caBundle: 'PEM', ...options }) as { webhooks: Hook[] }).webhooks

const labels = (keys: Record<string, string[]>) =>
  fc.record(Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, fc.constantFrom(...values)])), {
    requiredKeys: [],
  }) as fc.Arbitrary<Record<string, string>>

test('the selectors ask for exactly the pods that decide() does not call unselected, each by one webhook', () => {
  fc.assert(
    fc.property(
      labels({ 'istio-injection': ['enabled', 'disabled'], 'istio.io/rev': ['default', 'canary'] }),
      labels({ 'sidecar.istio.io/inject': ['true', 'false'], 'istio.io/rev': ['default', 'canary'] }),
      fc.constantFrom('default', 'canary'),
      (namespace, pod, revision) => {
        const asked = hooksOf({ revision }).filter(
          (hook) => matchesSelector(hook.namespaceSelector, namespace) && matchesSelector(hook.objectSelector, pod),
        )
        const decision = decide({ metadata: { labels: pod }, spec: {} }, 'shop', { namespaceLabels: namespace, revision })
        expect(asked.length).toBeLessThanOrEqual(1)
        expect(asked.length === 1).toBe(decision.code !== 'not_selected')
      },
    ),
    { seed: 1, numRuns: 500 },
  )
})

test('by Service or by URL, with the CA in base64', () => {
  expect(hooksOf({})[0]?.clientConfig).toEqual({
    service: { name: 'istiod', namespace: 'istio-system', path: '/inject', port: 443 },
    caBundle: btoa('PEM'),
  })
  expect(hooksOf({ url: 'https://10.0.0.1/inject' })[0]?.clientConfig.url).toBe('https://10.0.0.1/inject')
  expect(hooksOf({ revision: 'canary' })[0]?.clientConfig.service).toMatchObject({ name: 'istiod-canary' })
})
