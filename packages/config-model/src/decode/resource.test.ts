import { expect, test } from 'vitest'
import { decodeResource } from './resource.js'

const named = (apiVersion: string, kind: string) => decodeResource({ apiVersion, kind, metadata: { name: 'a' }, spec: {} })

test('a kind that an API group of Istio does not have is told', () => {
  expect(named('networking.istio.io/v1', 'VirtualServise')).toMatchObject({
    ok: true,
    diagnostics: [
      {
        severity: 'warning',
        path: 'kind',
        message: 'networking.istio.io has no kind VirtualServise, so this has no effect: did you mean VirtualService?',
      },
    ],
  })
  expect(named('networking.istio.io/v1', 'AuthorizationPolicy').diagnostics).toHaveLength(1)
})

test.each([
  ['install.istio.io/v1alpha1', 'IstioOperator'],
  ['apps/v1', 'Deploymnet'],
  ['example.com/v1', 'Anything'],
])('of %s nothing is said of %s', (apiVersion, kind) => {
  expect(named(apiVersion, kind)).toMatchObject({ ok: true, diagnostics: [] })
})
