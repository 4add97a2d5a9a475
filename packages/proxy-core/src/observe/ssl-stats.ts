import type { Counter } from '@heddle/runtime'
import type { Connection } from '../net/connection.js'
import { type PeerRefusal, PeerRefusedError } from '../net/peer-rules.js'

/** `ssl.*` of a listener or a cluster. */
export interface SslStats {
  /** A handshake that is over. */
  established(connection: Connection): void
  /** One that failed: a peer that was not let in counts by the reason, everything else as connection_error. */
  failed(error: unknown): void
}

const REFUSALS: readonly PeerRefusal[] = ['fail_verify_no_cert', 'fail_verify_error', 'fail_verify_san', 'fail_verify_cert_hash']

export function createSslStats(counter: (name: string) => Counter): SslStats {
  const [handshake, reused, noCertificate, connectionError] = [
    ...['handshake', 'session_reused', 'no_certificate', 'connection_error'],
  ].map((name) => counter(`ssl_${name}`))
  const refusals = new Map(REFUSALS.map((refusal) => [refusal, counter(`ssl_${refusal}`)]))
  return {
    established({ tls }) {
      handshake?.inc()
      if (tls?.resumed === true) reused?.inc()
      if (tls?.peer === undefined) noCertificate?.inc()
    },
    failed(error) {
      if (error instanceof PeerRefusedError) refusals.get(error.refusal)?.inc()
      else connectionError?.inc()
    },
  }
}
