import { applyPatch } from 'rfc6902'
import { expect, test } from 'vitest'
import { inject } from './inject.js'
import { jsonPatch } from './json-patch.js'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b~c' }, spec: { containers: [{ name: 'app', image: 'app' }] } }

test('the patch applied to the input is the injected object', () => {
  const result = inject(pod)
  if (!result.ok) throw new Error('not injected')
  const patched = structuredClone(pod)
  expect(applyPatch(patched, [...jsonPatch(pod, result.value.object)])).toEqual(expect.arrayContaining([null]))
  expect(patched).toEqual(result.value.object)
})

test('nothing changed, nothing to patch', () => {
  expect(jsonPatch(pod, pod)).toEqual([])
  expect(jsonPatch(pod, structuredClone(pod))).toEqual([])
})
