import type { Clock } from '@heddle/runtime'
import { type ClientConfig, createApiServer } from './api-server.js'

/** `spec` of an `authentication.k8s.io/v1` TokenReview. */
export interface TokenReviewSpec {
  readonly token: string
  /** The token must be for one of them. */
  readonly audiences: readonly string[]
}

/** Its `status`. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string; readonly groups?: readonly string[] }
  readonly audiences?: readonly string[]
  readonly error?: string
}

/** Asks whose token this is: the `review` of `createTokenReviewAuthenticator` in `@heddle/ca`. */
export type TokenReviewer = (spec: TokenReviewSpec) => Promise<TokenReviewStatus>

export interface TokenReviewerOptions {
  /** A `KubeConfig` of @kubernetes/client-node; its account needs `create` on `tokenreviews` (ClusterRole `system:auth-delegator`). */
  readonly config: ClientConfig
  readonly clock: Clock
  /** Default 5 s. */
  readonly timeoutMs?: number
}

/** The Kubernetes API server as the one who knows its own tokens. Rejects when it cannot be asked, or refuses to be. */
export function createTokenReviewer({ config, clock, timeoutMs = 5000 }: TokenReviewerOptions): TokenReviewer {
  const api = createApiServer(config)
  return async (spec) => {
    const abort = new AbortController()
    const cancel = clock.after(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)))
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }
    try {
      const path = '/apis/authentication.k8s.io/v1/tokenreviews'
      const { status } = await api.post<{ readonly status?: TokenReviewStatus }>(path, review, abort.signal)
      return status ?? {}
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error
    } finally {
      cancel()
    }
  }
}
