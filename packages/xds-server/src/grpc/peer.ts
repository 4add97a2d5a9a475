import type { ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js'
import type { Result } from '@heddle/runtime'
import type { PeerIdentity } from '../access.js'

/** What the transport knows of a client before it has said anything. */
export interface Peer {
  /** `address:port`. */
  readonly address: string
  /** URI names of the client certificate that TLS has verified; empty without one. A SPIFFE certificate has exactly one. */
  readonly uris: readonly string[]
  /** That certificate, DER; without those that it came with. */
  readonly certificate?: Uint8Array
  /** The values of the `authorization` metadata: `Bearer <token>`. */
  readonly authorization: readonly string[]
}

/** Proves who a peer is; a failure closes the stream with UNAUTHENTICATED and its message, before any data is read. */
export type Authenticate = (peer: Peer) => Result<PeerIdentity> | Promise<Result<PeerIdentity>>

export function peerOf(call: ServerDuplexStream<Buffer, Buffer> | ServerUnaryCall<Buffer, Buffer>): Peer {
  const { sslPeerCertificate: certificate } = call.getAuthContext()
  return {
    address: call.getPeer(),
    uris: urisOf(certificate?.subjectaltname),
    ...(certificate && { certificate: new Uint8Array(certificate.raw) }),
    authorization: call.metadata.get('authorization').map(String),
  }
}

/**
 * Node writes names as `URI:spiffe://…, DNS:…`. A name with a comma or a quote is written as a JSON string: it cannot be a SPIFFE ID
 * and is left out, so that what it contains is never taken for a name (CVE-2021-44532).
 */
function urisOf(names: string | undefined): readonly string[] {
  if (names === undefined || names.includes('"')) return []
  return names.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice('URI:'.length)] : []))
}
