import fc from 'fast-check'
import { applyPatch } from 'rfc6902'
import { expect, test } from 'vitest'
import { inject } from './inject.js'
import { jsonPatch } from './json-patch.js'
import type { KubernetesObject } from './kubernetes.js'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b~c' }, spec: { containers: [{ name: 'app', image: 'app' }] } }

/** What another implementation makes of the patch. */
function patched(before: KubernetesObject, after: KubernetesObject): unknown {
  const target = structuredClone(before)
  expect(applyPatch(target, structuredClone([...jsonPatch(before, after)])).filter((error) => error !== null)).toEqual([])
  return target
}

test('the patch applied to the input is the injected object', () => {
  const result = inject(pod)
  if (!result.ok) throw new Error('not injected')
  expect(patched(pod, result.value.object)).toEqual(result.value.object)
})

test('nothing changed, nothing to patch', () => {
  expect(jsonPatch(pod, pod)).toEqual([])
  expect(jsonPatch(pod, structuredClone(pod))).toEqual([])
  expect(jsonPatch(pod, { ...pod, status: undefined })).toEqual([])
})

const named = (names: string, more: object = {}) => [...names].map((name) => ({ name, ...more }))

test.each<[string, object, object, string[]]>([
  ['a container that is added leaves the others alone', named('ab'), named('xaby'), ['add 0', 'add 3']],
  ['one that is changed too', named('ab'), [{ name: 'a' }, { name: 'b', image: 'i' }], ['add 1/image']],
  ['one is removed', named('abc'), named('ac'), ['remove 1']],
  ['another in its place', named('abc'), named('axc'), ['replace 1']],
  ['order changes', named('abc'), named('cab'), ['add 0', 'remove 3']],
  ['all at once', named('abcd'), named('xbyd', { image: 'i' }), ['replace 0', 'add 1/image', 'replace 2', 'add 3/image']],
  ['without names', [1, 2, 3], [1, 3, 4], ['remove 1', 'add 2']],
  ['twice the same name', named('aa'), named('aba'), ['add 1']],
])('lists: %s', (_what, before, after, steps) => {
  const path = '/containers/'
  expect(
    jsonPatch({ containers: before }, { containers: after }).map((step) => `${step.op} ${step.path.slice(path.length)}`),
  ).toEqual(steps)
  expect(patched({ containers: before }, { containers: after })).toEqual({ containers: after })
})

test('names of fields are escaped, and may be those of methods', () => {
  expect(jsonPatch({}, { 'a/b~c': 1, constructor: 'x' } as KubernetesObject)).toEqual([
    { op: 'add', path: '/a~1b~0c', value: 1 },
    { op: 'add', path: '/constructor', value: 'x' },
  ])
  expect(jsonPatch(JSON.parse('{"toString":"x"}') as KubernetesObject, {})).toEqual([{ op: 'remove', path: '/toString' }])
})

test('any JSON becomes any other', () => {
  const field = fc.constantFrom('a', 'containers', 'ports', 'x/y', '~')
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(null, 0, 1, '', 'a', true),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: tie('value') }, { requiredKeys: ['name'] }), {
        maxLength: 5,
      }),
      fc.dictionary(field, tie('value'), { maxKeys: 4 }),
    ),
  }))
  const object = fc.dictionary(field, value, { maxKeys: 4, noNullPrototype: true })
  fc.assert(
    fc.property(object, object, (before, after) => {
      expect(JSON.parse(JSON.stringify(patched(before, after)))).toEqual(JSON.parse(JSON.stringify(after)))
    }),
    { seed: 1, numRuns: 1_000 },
  )
})

test('long lists take no long time', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ name: `v${i}` }))
  const after = [
    { name: 'first' },
    ...many.slice(1).map((volume, i) => (i % 7 === 0 ? { name: `w${i}` } : volume)),
    { name: 'z' },
  ]
  const steps = jsonPatch({ volumes: many }, { volumes: after })
  expect(steps.length).toBeLessThan(21_000)
  expect(patched({ volumes: many }, { volumes: after })).toEqual({ volumes: after })
})
