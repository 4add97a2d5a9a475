/** Nonces of one stream: unique per response, even when the version did not move (xds-protocol 23). */
export interface Nonces {
  next(): string
}

/** `streamId` keeps a nonce of an older stream, or of another replica, from ever matching. */
export function createNonces(streamId: string): Nonces {
  let count = 0
  return { next: () => `${streamId}-${++count}` }
}

/**
 * What a request's nonce says about it.
 * - `spontaneous`: no nonce, a new or changed subscription
 * - `foreign`: a nonce, but this stream never answered the type: the client came from another stream (xds-protocol 20)
 * - `current`: answers the last response of the type
 * - `stale`: answers an older one
 */
export type NonceKind = 'spontaneous' | 'foreign' | 'current' | 'stale'

export function classifyNonce(responseNonce: string, lastSent: string | undefined): NonceKind {
  if (responseNonce === '') return 'spontaneous'
  if (lastSent === undefined) return 'foreign'
  return responseNonce === lastSent ? 'current' : 'stale'
}
