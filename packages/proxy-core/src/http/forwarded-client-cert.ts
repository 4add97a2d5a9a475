import type { HttpManager } from '../config/compiled.js'
import type { TlsInfo } from '../net/connection.js'
import { toPem } from '../net/x509/pem.js'
import type { HeaderMap } from './header-map.js'

const NAME = 'x-forwarded-client-cert'

/** Sets, keeps or removes x-forwarded-client-cert, so that it never says what only the client claims. */
export function applyForwardedClientCert(
  headers: HeaderMap,
  manager: HttpManager,
  tls: TlsInfo | undefined,
  element: () => string,
): void {
  const mode = manager.forwardClientCert
  if (mode === 'ALWAYS_FORWARD_ONLY') return
  if (mode === 'SANITIZE' || tls?.peer === undefined) {
    headers.delete(NAME)
    return
  }
  if (mode === 'FORWARD_ONLY') return
  const present = mode === 'APPEND_FORWARD' ? headers.getAll(NAME).join(',') : ''
  headers.set(NAME, present === '' ? element() : `${present},${element()}`)
}

/** One element about the peer of this connection: By, Hash, Cert, Chain, Subject, URI, DNS, as Envoy orders them. */
export function forwardedClientCertElement({ setCurrentClientCert: wanted }: HttpManager, tls: TlsInfo): string {
  const { peer } = tls
  if (peer === undefined) return ''
  const parts: string[] = []
  for (const uri of tls.localUris.slice(0, 1)) parts.push(`By=${uri}`)
  parts.push(`Hash=${peer.hash}`)
  if (wanted.cert) parts.push(`Cert="${encodePem(peer.pem())}"`)
  if (wanted.chain) parts.push(`Chain="${encodePem(peer.chain().map(toPem).join(''))}"`)
  // RFC 2253 has a backslash before each quote already.
  if (wanted.subject) parts.push(`Subject="${peer.subject}"`)
  if (wanted.uri) parts.push(...(peer.uris.length === 0 ? ['URI='] : peer.uris.map((uri) => `URI=${uri}`)))
  if (wanted.dns) parts.push(...peer.dns.map((name) => `DNS=${name}`))
  return parts.join(';')
}

function encodePem(pem: string): string {
  return encodeURIComponent(pem).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
