import { formatSpiffeId, ok, parseSpiffeId } from '@heddle/runtime'
import { type Authenticator, bearerToken, refused } from './authenticator.js'

/** What of `authentication.k8s.io/v1` TokenReview is asked. */
export interface TokenReviewSpec {
  readonly token: string
  readonly audiences: readonly string[]
}

/** What of a TokenReview's status counts. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string; readonly groups?: readonly string[] }
  /** Of those asked for. An API server that knows no audiences leaves it out. */
  readonly audiences?: readonly string[]
  readonly error?: string
}

export interface TokenReviewAuthenticatorOptions {
  /** Asks the API server: POST of a TokenReview with this `spec`, and back comes its `status`. */
  readonly review: (spec: TokenReviewSpec) => Promise<TokenReviewStatus>
  readonly trustDomain: string
  /** One of them must be among the token's. Default `istio-ca`. */
  readonly audiences?: readonly string[]
}

const LONGEST_TOKEN = 16 * 1024
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/
const SERVICE_ACCOUNTS_GROUP = 'system:serviceaccounts'

/** A service account's token, proved by the Kubernetes API server that made it: deleted pods and accounts are known to it at once. */
export function createTokenReviewAuthenticator(options: TokenReviewAuthenticatorOptions): Authenticator {
  const { review, trustDomain, audiences = ['istio-ca'] } = options
  return async (peer) => {
    const token = bearerToken(peer)
    if (token === undefined) return refused('no bearer token')
    if (token.length > LONGEST_TOKEN) return refused('the token is too long')
    let status: TokenReviewStatus
    try {
      status = await review({ token, audiences })
    } catch (error) {
      return refused(`the token cannot be reviewed: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (status.authenticated !== true) return refused(`the token is refused: ${status.error ?? 'not authenticated'}`)
    // An API server that does not know audiences takes a token for any of them: that must not count as proof.
    if (!(status.audiences ?? []).some((audience) => audiences.includes(audience)))
      return refused(`the token is not for ${audiences.join(' or ')}`)
    const { username = '', groups = [] } = status.user ?? {}
    const [, namespace = '', serviceAccount = ''] = SERVICE_ACCOUNT.exec(username) ?? []
    const identity = formatSpiffeId({ trustDomain, namespace, serviceAccount })
    if (!groups.includes(SERVICE_ACCOUNTS_GROUP) || !parseSpiffeId(identity).ok)
      return refused(`${JSON.stringify(username)} is no service account`)
    return ok({ identities: [identity], method: 'token-review' })
  }
}
