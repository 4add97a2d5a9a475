import { applyPatch, type Operation } from 'rfc6902'
import { expect, test } from 'vitest'
import { inject } from '../inject.js'
import type { InjectOptions } from '../options.js'
import { reviewPod } from './review.js'

const pod = (metadata: object = {}) => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { generateName: 'cart-5d4-', annotations: { note: 'für' }, ...metadata },
  spec: { containers: [{ name: 'app', image: 'app' }] },
})
const review = (object: unknown, apiVersion = 'admission.k8s.io/v1') => ({
  apiVersion,
  kind: 'AdmissionReview',
  request: { uid: 'u-1', kind: { group: '', version: 'v1', kind: 'Pod' }, namespace: 'shop', operation: 'CREATE', object },
})

function answer(input: unknown, options?: InjectOptions) {
  const result = reviewPod(input, options)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

test.each(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'])(
  '%s: the patch makes the injected pod of the object',
  (apiVersion) => {
    const { kind, apiVersion: answered, response } = answer(review(pod(), apiVersion))
    expect([kind, answered, response.uid, response.allowed, response.patchType]).toEqual([
      'AdmissionReview',
      apiVersion,
      'u-1',
      true,
      'JSONPatch',
    ])
    const patched = pod()
    const failures = applyPatch(
      patched,
      JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(response.patch!), (c) => c.charCodeAt(0)))) as Operation[],
    )
    expect(failures.every((failure) => failure === null)).toBe(true)
    const wanted = inject(pod({ namespace: 'shop' }))
    if (!wanted.ok) throw new Error('not injected')
    const { namespace, ...metadata } = wanted.value.object.metadata!
    expect(patched).toEqual({ ...wanted.value.object, metadata })
    expect(JSON.stringify(patched)).toContain(`namespaces/${namespace}/`)
  },
)

test('a pod that is not to be injected is let through as it is', () => {
  const { response } = answer(review(pod({ labels: { 'sidecar.istio.io/inject': 'false' } })))
  expect(response).toEqual({ uid: 'u-1', allowed: true })
})

test('the namespace of the request counts where the pod names none', () => {
  expect(
    answer({ ...review(pod()), request: { ...review(pod()).request, namespace: 'kube-system' } }).response.patch,
  ).toBeUndefined()
})

test('a pod that cannot be injected is refused with the reason', () => {
  const { response } = answer(review(pod({ annotations: { 'status.sidecar.istio.io/port': 'x' } })))
  expect(response).toMatchObject({ allowed: false, status: { code: 400 } })
  expect(response.status!.message).toContain('status.sidecar.istio.io/port')
})

test.each([
  ['nothing', undefined, 'kind'],
  ['a list', [], 'kind'],
  ['another kind', { kind: 'Pod' }, 'kind'],
  ['another version', review(pod(), 'admission.k8s.io/v9'), 'apiVersion'],
  ['no request', { ...review(pod()), request: null }, 'request.uid'],
  ['no uid', { ...review(pod()), request: {} }, 'request.uid'],
  ['no object', review(undefined), 'request.object'],
  ['no spec', review({ kind: 'Pod' }), 'request.object'],
  ['another object', review({ ...pod(), kind: 'Service' }), 'request.object.kind'],
])('%s is no review', (_name, input, path) => {
  const result = reviewPod(input)
  expect(result.ok).toBe(false)
  expect(result.diagnostics[0]).toMatchObject({ code: 'inject.invalid_review', path })
})
