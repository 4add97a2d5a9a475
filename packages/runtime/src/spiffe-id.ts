import { fail, ok, problem, type Result } from './result.js'

/** A workload identity as Istio forms it: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */
export interface SpiffeId {
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
}

export const DEFAULT_TRUST_DOMAIN = 'cluster.local'

// SPIFFE-ID §2.1, §2.2: trust domain [a-z0-9.-_], path segments [a-zA-Z0-9.-_], neither empty nor dots only. §2.3: 2048 bytes at most.
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^[a-zA-Z0-9._-]+$/
const MAX_URI_BYTES = 2048

export function formatSpiffeId(id: SpiffeId): string {
  return `spiffe://${id.trustDomain}/ns/${id.namespace}/sa/${id.serviceAccount}`
}

/** Reads an Istio workload identity; refuses any other SPIFFE ID with code `spiffe.invalid_id`. */
export function parseSpiffeId(uri: string): Result<SpiffeId> {
  const refuse = (why: string): Result<SpiffeId> =>
    fail(problem('spiffe.invalid_id', '', `${JSON.stringify(uri.slice(0, 200))} is no workload identity: ${why}.`))
  if (uri.length > MAX_URI_BYTES) return refuse(`longer than ${MAX_URI_BYTES} bytes`)
  if (!uri.startsWith('spiffe://')) return refuse('it does not start with spiffe://')
  const [trustDomain = '', ns, namespace = '', sa, serviceAccount = '', ...rest] = uri.slice('spiffe://'.length).split('/')
  if (!TRUST_DOMAIN.test(trustDomain)) return refuse('the trust domain has characters other than a-z, 0-9, ".", "-", "_"')
  if (ns !== 'ns' || sa !== 'sa' || rest.length > 0) return refuse('the path is not /ns/<namespace>/sa/<service account>')
  for (const segment of [namespace, serviceAccount]) {
    if (!SEGMENT.test(segment) || segment === '.' || segment === '..')
      return refuse('a path segment is empty, dots, or has characters other than a-z, A-Z, 0-9, ".", "-", "_"')
  }
  return ok({ trustDomain, namespace, serviceAccount })
}
