import type { Build } from '../build.js'
import type { ListenerProtocol } from '../protocol.js'
import type { EffectiveMode } from '../security/mtls-mode.js'

/** What connections a chain takes, and what it does with them. */
export interface ChainMatch {
  readonly alpn?: readonly string[]
  readonly transport?: 'tls' | 'raw_buffer'
  readonly protocol: 'http' | 'tcp'
  /** Takes Istio's mTLS off. */
  readonly mtls?: true
}

/** Found by the HTTP inspector in plaintext. */
export const PLAIN_HTTP_ALPN: readonly string[] = ['http/1.1', 'h2c']
/** With PILOT_HTTP10; else HTTP/1.0 is TCP, or it would only be refused. */
const PLAIN_HTTP10_ALPN: readonly string[] = ['http/1.0', ...PLAIN_HTTP_ALPN]

/** What of plaintext goes to an HTTP chain where the protocol is looked at. */
export function plainHttpAlpn({ features }: Build): readonly string[] {
  return features.http10 ? PLAIN_HTTP10_ALPN : PLAIN_HTTP_ALPN
}
/** A client's sidecar says that HTTP is inside. */
const MESH_HTTP_ALPN = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2']
const MESH_TCP_ALPN = ['istio-peer-exchange', 'istio']
const ALL_MESH_ALPN = ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2']

const PERMISSIVE: Readonly<Record<'http' | 'tcp' | 'auto', readonly ChainMatch[]>> = {
  http: [
    { alpn: ALL_MESH_ALPN, transport: 'tls', protocol: 'http', mtls: true },
    { transport: 'raw_buffer', protocol: 'http' },
  ],
  tcp: [
    { alpn: ALL_MESH_ALPN, transport: 'tls', protocol: 'tcp', mtls: true },
    { transport: 'tls', protocol: 'tcp' },
    { transport: 'raw_buffer', protocol: 'tcp' },
  ],
  auto: [
    { alpn: MESH_HTTP_ALPN, transport: 'tls', protocol: 'http', mtls: true },
    { alpn: PLAIN_HTTP_ALPN, transport: 'raw_buffer', protocol: 'http' },
    { alpn: MESH_TCP_ALPN, transport: 'tls', protocol: 'tcp', mtls: true },
    { transport: 'raw_buffer', protocol: 'tcp' },
    { transport: 'tls', protocol: 'tcp' },
  ],
}

const STRICT: typeof PERMISSIVE = {
  http: [{ transport: 'tls', protocol: 'http', mtls: true }],
  tcp: [{ transport: 'tls', protocol: 'tcp', mtls: true }],
  auto: [
    { alpn: MESH_HTTP_ALPN, transport: 'tls', protocol: 'http', mtls: true },
    { transport: 'tls', protocol: 'tcp', mtls: true },
  ],
}

const DISABLED: typeof PERMISSIVE = {
  http: [{ transport: 'raw_buffer', protocol: 'http' }],
  tcp: [{ transport: 'raw_buffer', protocol: 'tcp' }],
  auto: [
    { alpn: PLAIN_HTTP_ALPN, transport: 'raw_buffer', protocol: 'http' },
    { transport: 'raw_buffer', protocol: 'tcp' },
  ],
}

/** The chains of an inbound port by what PeerAuthentication says of it and what the port speaks. */
export function chainMatches(build: Build, mode: EffectiveMode, protocol: ListenerProtocol): readonly ChainMatch[] {
  const table = mode === 'STRICT' ? STRICT : mode === 'DISABLE' ? DISABLED : PERMISSIVE
  // UDP is not redirected; its port still gets the chains of TCP.
  const matches = table[protocol === 'none' ? 'tcp' : protocol]
  if (!build.features.http10) return matches
  return matches.map((match) => (match.alpn === PLAIN_HTTP_ALPN ? { ...match, alpn: PLAIN_HTTP10_ALPN } : match))
}

/** A port with a certificate of the user's own: TLS of any client, what is inside as the port says. */
export function userTlsMatches(protocol: ListenerProtocol): readonly ChainMatch[] {
  if (protocol === 'http') return [{ transport: 'tls', protocol: 'http', mtls: true }]
  return protocol === 'none' ? [] : [{ transport: 'tls', protocol: 'tcp', mtls: true }]
}
