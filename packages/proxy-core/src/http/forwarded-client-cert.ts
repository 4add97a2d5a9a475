import type { HttpManager } from '../config/compiled.js'
import type { TlsInfo } from '../net/connection.js'
import { issuerNameOf } from '../net/x509/peer-certificate.js'
import { toPem } from '../net/x509/pem.js'
import type { RequestHead } from '../route/table.js'
import type { HeaderMap } from './header-map.js'

const NAME = 'x-forwarded-client-cert'

/** What x-forwarded-client-cert says of a client. */
export interface ClientCertForwarding {
  readonly forwardClientCert: 'SANITIZE' | 'FORWARD_ONLY' | 'APPEND_FORWARD' | 'SANITIZE_SET' | 'ALWAYS_FORWARD_ONLY'
  readonly setCurrentClientCert: ClientCertDetails
}

/** set_current_client_cert_details. */
export interface ClientCertDetails {
  readonly subject: boolean
  readonly cert: boolean
  readonly chain: boolean
  readonly dns: boolean
  readonly uri: boolean
  readonly issuer?: boolean
  /** A list of objects instead of `;` and `=`, where no other proxy has begun the header in its way. */
  readonly json?: boolean
}

/** One element about the client of a connection. */
export type DescribeClient = (details: ClientCertDetails, json: boolean) => string

/** Sets, keeps or removes x-forwarded-client-cert, so that it never says what only the client claims. */
export function applyForwardedClientCert(
  headers: HeaderMap,
  manager: HttpManager,
  head: RequestHead,
  tls: TlsInfo | undefined,
  describe: DescribeClient,
): void {
  const { forwardClientCert: mode, setCurrentClientCert: details } = manager.clientCertMatcher?.(head) ?? manager
  if (mode === 'ALWAYS_FORWARD_ONLY') {
    joinLines(headers)
    return
  }
  if (mode === 'SANITIZE' || tls?.peer === undefined) {
    headers.delete(NAME)
    return
  }
  if (mode === 'FORWARD_ONLY') {
    joinLines(headers)
    return
  }
  const present = mode === 'APPEND_FORWARD' ? headers.getAll(NAME).join(',').trim() : ''
  headers.set(NAME, present === '' ? alone(describe, details) : appended(present, describe, details))
}

/** Several lines are one list, as Envoy passes it on. */
function joinLines(headers: HeaderMap): void {
  const lines = headers.getAll(NAME)
  if (lines.length > 1) headers.set(NAME, lines.join(','))
}

function alone(describe: DescribeClient, details: ClientCertDetails): string {
  return details.json === true ? `[${describe(details, true)}]` : describe(details, false)
}

/** In the way of what is there. */
function appended(present: string, describe: DescribeClient, details: ClientCertDetails): string {
  if (!present.startsWith('[') || !present.endsWith(']')) return `${present},${describe(details, false)}`
  const list = present.slice(0, -1)
  return `${list}${list.trim() === '[' ? '' : ','}${describe(details, true)}]`
}

/** Describes one client, each time anew. */
export function describeClient(tls: TlsInfo): DescribeClient {
  return (details, json) => (json ? jsonElement(details, tls) : textElement(details, tls))
}

/** By, Hash, Cert, Chain, Subject, URI, DNS, Issuer, as Envoy orders them. */
function textElement(wanted: ClientCertDetails, { peer, localUris }: TlsInfo): string {
  if (peer === undefined) return ''
  const parts = localUris.map((uri) => `By=${uri}`)
  parts.push(`Hash=${peer.hash}`)
  if (wanted.cert) parts.push(`Cert="${encodePem(peer.pem())}"`)
  if (wanted.chain) parts.push(`Chain="${encodePem(peer.chain().map(toPem).join(''))}"`)
  // RFC 2253 has a backslash before each quote already.
  if (wanted.subject) parts.push(`Subject="${peer.subject}"`)
  if (wanted.uri) parts.push(...(peer.uris.length === 0 ? ['URI='] : peer.uris.map((uri) => `URI=${uri}`)))
  if (wanted.dns) parts.push(...peer.dns.map((name) => `DNS=${name}`))
  if (wanted.issuer === true) parts.push(`Issuer="${issuerNameOf(peer.der)}"`)
  return parts.join(';')
}

function jsonElement(wanted: ClientCertDetails, { peer, localUris }: TlsInfo): string {
  if (peer === undefined) return '{}'
  return JSON.stringify({
    ...(localUris.length > 0 && { by: localUris }),
    hash: peer.hash,
    ...(wanted.cert && { cert: peer.pem() }),
    ...(wanted.chain && { chain: peer.chain().map(toPem) }),
    ...(wanted.subject && { subject: peer.subject }),
    ...(wanted.uri && peer.uris.length > 0 && { uri: peer.uris }),
    ...(wanted.dns && peer.dns.length > 0 && { dns: peer.dns }),
    ...(wanted.issuer === true && { issuer: issuerNameOf(peer.der) }),
  })
}

function encodePem(pem: string): string {
  return encodeURIComponent(pem).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
