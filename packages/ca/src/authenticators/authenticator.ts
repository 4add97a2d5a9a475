import { fail, problem, type Result } from '@heddle/runtime'

/** What the transport knows of a client before it has said anything. */
export interface Peer {
  /** `address:port`, for people. */
  readonly address: string
  /** URI names of the client certificate that TLS has verified; empty without one. */
  readonly uris: readonly string[]
  /** The values of the `authorization` metadata: `Bearer <token>`. */
  readonly authorization: readonly string[]
}

/** Who somebody has proved to be. */
export interface Caller {
  /** SPIFFE IDs. */
  readonly identities: readonly string[]
  /** How: `jwt`, `certificate`, … for the log. */
  readonly method: string
}

/** Proves who a peer is, or says why not. It reads credentials only, never what is asked for. */
export type Authenticator = (peer: Peer) => Promise<Result<Caller>>

/** Tries each in turn; the first that knows the caller wins. Fails with all their reasons. */
export function firstOf(authenticators: readonly Authenticator[]): Authenticator {
  return async (peer) => {
    const reasons: string[] = []
    for (const authenticate of authenticators) {
      const result = await authenticate(peer)
      if (result.ok) return result
      reasons.push(...result.diagnostics.map(({ message }) => message))
    }
    return refused(reasons.join('; ') || 'nobody is let in')
  }
}

export function refused(why: string): Result<Caller> {
  return fail(problem('ca.unauthenticated', '', why))
}

/** The one bearer token of a call; undefined when there is none, or more than one. */
export function bearerToken(peer: Peer): string | undefined {
  const [value, ...others] = peer.authorization
  return others.length > 0 ? undefined : /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(value ?? '')?.[1]
}
