import { fail, ok, problem, type Result } from '@heddle/runtime'
import { inject } from '../inject.js'
import { jsonPatch } from '../json-patch.js'
import type { KubernetesObject } from '../kubernetes.js'
import type { InjectOptions } from '../options.js'

/** What an admission webhook answers (admission.k8s.io/v1 and v1beta1). */
export interface AdmissionReviewResponse {
  apiVersion: string
  kind: 'AdmissionReview'
  response: {
    uid: string
    allowed: boolean
    patchType?: 'JSONPatch'
    /** Base64 of an RFC 6902 patch. */
    patch?: string
    status?: { message: string; code: number }
  }
}

const VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1']

/**
 * Answers the review of a pod that is about to be created, as Istio's webhook does: a patch, no patch where the pod is not to be injected,
 * or a refusal that says what is wrong with the pod. Whether the webhook is asked at all, the selectors of its configuration decide.
 * Fails with `inject.invalid_review` on what is no review of a pod; answer that with HTTP 400.
 */
export function reviewPod(review: unknown, options: InjectOptions = {}): Result<AdmissionReviewResponse> {
  const request = readRequest(review)
  if (!request.ok) return fail(...request.diagnostics)
  const { apiVersion, uid, pod } = request.value
  const answer = (response: Omit<AdmissionReviewResponse['response'], 'uid'>): Result<AdmissionReviewResponse> =>
    ok({ apiVersion, kind: 'AdmissionReview', response: { uid, ...response } })
  const result = inject(pod, options)
  if (!result.ok)
    return answer({ allowed: false, status: { message: result.diagnostics.map(({ message }) => message).join(' '), code: 400 } })
  const patch = jsonPatch(pod, result.value.object)
  if (patch.length === 0) return answer({ allowed: true })
  return answer({ allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') })
}

interface Request {
  apiVersion: string
  uid: string
  pod: KubernetesObject
}

function readRequest(review: unknown): Result<Request> {
  const refuse = (path: string, why: string): Result<Request> =>
    fail(problem('inject.invalid_review', path, `This is no AdmissionReview of a pod: ${why}.`))
  if (!isObject(review) || review['kind'] !== 'AdmissionReview') return refuse('kind', 'kind must be AdmissionReview')
  const { apiVersion, request } = review
  if (typeof apiVersion !== 'string' || !VERSIONS.includes(apiVersion))
    return refuse('apiVersion', `apiVersion must be ${VERSIONS.join(' or ')}`)
  if (!isObject(request) || typeof request['uid'] !== 'string') return refuse('request.uid', 'it has no request with a uid')
  const { uid, object, namespace } = request
  if (!isObject(object) || !isObject(object['spec'])) return refuse('request.object', 'request.object must be a pod')
  if (object['kind'] !== undefined && object['kind'] !== 'Pod')
    return refuse('request.object.kind', `it is about a ${String(object['kind'])}`)
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  // A pod that is created in a namespace need not name it.
  const placed = { namespace: typeof namespace === 'string' ? namespace : 'default', ...metadata }
  return ok({ apiVersion, uid, pod: { apiVersion: 'v1', kind: 'Pod', ...object, metadata: placed } })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
