import { expect, test } from 'vitest'
import { readYaml } from '../read.js'
import { destinationExtensions } from './destination-extensions.js'
import type { DestinationRule } from './destination-rule.js'

function ruleWith(annotations: Readonly<Record<string, string>>) {
  const object = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'tea', annotations },
    spec: { host: 'tea' },
  }
  const { resources, diagnostics } = readYaml(JSON.stringify(object), { file: 'rule.yaml' })
  return { rule: resources[0] as DestinationRule | undefined, diagnostics }
}

test('annotations are YAML with defaults', () => {
  const { rule } = ruleWith({
    'heddle.dev/health-check': 'protocol: HTTP\npath: /healthz\ninterval: 5s\n',
    'heddle.dev/local-rate-limit': '{maxTokens: 10, fillInterval: 1s}',
  })
  expect(destinationExtensions(rule!)).toEqual({
    healthCheck: {
      protocol: 'HTTP',
      path: '/healthz',
      interval: 5000,
      timeout: 1000,
      unhealthyThreshold: 3,
      healthyThreshold: 1,
    },
    rateLimit: { maxTokens: 10, fillInterval: 1000, status: 429 },
  })
})

test('a rule without them asks for nothing', () => {
  expect(destinationExtensions(ruleWith({}).rule!)).toEqual({})
})

test.each([
  ['heddle.dev/health-check', '{protocl: HTTP}', 'metadata.annotations["heddle.dev/health-check"].protocl'],
  ['heddle.dev/health-check', '{unhealthyThreshold: 0}', 'metadata.annotations["heddle.dev/health-check"].unhealthyThreshold'],
  ['heddle.dev/local-rate-limit', '{}', 'metadata.annotations["heddle.dev/local-rate-limit"].maxTokens'],
  [
    'heddle.dev/local-rate-limit',
    '{maxTokens: 1, fillInterval: 1ms}',
    'metadata.annotations["heddle.dev/local-rate-limit"].fillInterval',
  ],
  ['heddle.dev/local-rate-limit', '[', 'metadata.annotations["heddle.dev/local-rate-limit"]'],
])('%s: %s is refused', (name, text, path) => {
  const { diagnostics } = ruleWith({ [name]: text })
  expect(diagnostics.filter((d) => d.severity === 'error').map((d) => d.path)).toContain(path)
})
