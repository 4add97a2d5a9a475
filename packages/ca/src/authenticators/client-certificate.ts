import { ok, parseSpiffeId } from '@heddle/runtime'
import { type Authenticator, refused } from './authenticator.js'

/** A workload that already has a certificate of the mesh renews with it. TLS has verified it; here it must be an X509-SVID: exactly one URI, a workload's. */
export function createCertificateAuthenticator(): Authenticator {
  return async ({ uris }) => {
    const [uri, ...others] = uris
    if (uri === undefined) return refused('no client certificate')
    if (others.length > 0) return refused('the client certificate has more than one URI')
    const id = parseSpiffeId(uri)
    return id.ok ? ok({ identities: [uri], method: 'certificate' }) : refused(id.diagnostics[0]?.message ?? 'not a SPIFFE ID')
  }
}
