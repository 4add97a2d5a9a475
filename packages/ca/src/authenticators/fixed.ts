import { formatSpiffeId, ok, type SpiffeId } from '@heddle/runtime'
import { type Authenticator, bearerToken, refused } from './authenticator.js'

/** Fixed tokens for fixed identities: tests, and the first hour with a new mesh. */
export function createFixedAuthenticator(identities: ReadonlyMap<string, SpiffeId>): Authenticator {
  return async (peer) => {
    const id = identities.get(bearerToken(peer) ?? '')
    return id === undefined
      ? refused('the token is not one of the fixed ones')
      : ok({ identities: [formatSpiffeId(id)], method: 'fixed' })
  }
}
