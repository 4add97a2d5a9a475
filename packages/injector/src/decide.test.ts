import { describe, expect, test } from 'vitest'
import { decide } from './decide.js'
import type { PodTemplate } from './kubernetes.js'
import type { InjectOptions } from './options.js'

const pod = (
  labels: Record<string, string> = {},
  annotations: Record<string, string> = {},
  spec: PodTemplate['spec'] = {},
): PodTemplate => ({
  metadata: { labels, annotations },
  spec,
})
const INJECT = 'sidecar.istio.io/inject'
const never: InjectOptions = { neverInjectSelector: [{ matchLabels: { app: 'db' } }] }
const always: InjectOptions = {
  policy: 'disabled',
  alwaysInjectSelector: [{ matchExpressions: [{ key: 'mesh', operator: 'Exists' }] }],
}

describe('Istio’s order', () => {
  test.each<[string, PodTemplate, string, InjectOptions, boolean, string]>([
    ['default policy', pod(), 'shop', {}, true, 'policy'],
    ['disabled policy', pod(), 'shop', { policy: 'disabled' }, false, 'policy'],
    ['the host network beats the label', pod({ [INJECT]: 'true' }, {}, { hostNetwork: true }), 'shop', {}, false, 'host_network'],
    ['an ignored namespace beats the label', pod({ [INJECT]: 'true' }), 'kube-system', {}, false, 'ignored_namespace'],
    ['the annotation', pod({}, { [INJECT]: 'false' }), 'shop', {}, false, 'pod_disabled'],
    ['words for yes', pod({}, { [INJECT]: 'On' }), 'shop', { policy: 'disabled' }, true, 'pod_enabled'],
    ['any other word is no', pod({}, { [INJECT]: 'maybe' }), 'shop', {}, false, 'pod_disabled'],
    ['the label beats the annotation', pod({ [INJECT]: 'true' }, { [INJECT]: 'false' }), 'shop', {}, true, 'pod_enabled'],
    ['an empty word is none', pod({ [INJECT]: '' }, { [INJECT]: 'false' }), 'shop', {}, true, 'policy'],
    ['never', pod({ app: 'db' }), 'shop', never, false, 'never_selector'],
    ['never beats always', pod({ app: 'db', mesh: '' }), 'shop', { ...never, ...always }, false, 'never_selector'],
    ['the pod beats never', pod({ app: 'db', [INJECT]: 'true' }), 'shop', never, true, 'pod_enabled'],
    ['always', pod({ mesh: '' }), 'shop', always, true, 'always_selector'],
    ['an empty selector selects nothing', pod(), 'shop', { neverInjectSelector: [{}] }, true, 'policy'],
    [
      'expressions',
      pod({ a: '1' }),
      'shop',
      { neverInjectSelector: [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }] },
      true,
      'policy',
    ],
  ])('%s', (_name, template, namespace, options, inject, code) => {
    expect(decide(template, namespace, options)).toMatchObject({ inject, code })
  })
})

describe('the selectors of the webhooks', () => {
  test.each<[Record<string, string>, Record<string, string>, string, boolean]>([
    [{ 'istio-injection': 'enabled' }, {}, 'default', true],
    [{ 'istio-injection': 'disabled' }, { [INJECT]: 'true' }, 'default', false],
    [{ 'istio-injection': 'enabled' }, { [INJECT]: 'false' }, 'default', false],
    [{ 'istio-injection': 'enabled' }, {}, 'canary', false],
    [{ 'istio.io/rev': 'canary' }, {}, 'canary', true],
    [{ 'istio.io/rev': 'canary' }, {}, 'default', false],
    [{}, {}, 'default', false],
    [{}, { [INJECT]: 'true' }, 'default', true],
    [{}, { [INJECT]: 'true', 'istio.io/rev': 'canary' }, 'default', false],
    [{}, { 'istio.io/rev': 'canary' }, 'canary', true],
  ])('namespace %o, pod %o, revision %s: %s', (namespaceLabels, labels, revision, inject) => {
    const decision = decide(pod(labels), 'shop', { namespaceLabels, revision })
    expect(decision.inject).toBe(inject)
    expect(decision.reason).not.toBe('')
  })
})

test('the reason is for people', () => {
  expect(decide(pod(), 'kube-system').reason).toBe('namespace kube-system is ignored')
})
