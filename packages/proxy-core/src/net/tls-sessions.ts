import type { X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { dropOldest } from '@heddle/runtime'
import { formatAddress } from './address.js'
import type { SocketAddress } from './connection.js'
import type { ClientTlsContext, TlsMaterial } from './tls.js'
import { termsText } from './tls-terms.js'

/** A server of which more are known loses the oldest. */
const MAX_SERVERS = 1_000
/** A context of which more are known forgets the oldest; the chain of that peer is its leaf then. */
const MAX_PEERS = 1_000

/** What a server gave to be known again by, and the certificate that it showed then: a resumed handshake shows none. */
export interface ClientSession {
  readonly session: Buffer
  readonly leaf: X509Certificate
}

/** Between whom and on what trust a session was made. */
export interface SessionTerms {
  readonly context: ClientTlsContext
  readonly material: TlsMaterial
  readonly server: SocketAddress
}

/**
 * The newest session of each server. They end with the material that they were made under. One serves many connections: Node's
 * servers give no new one to whom they know, and the linking of connections that RFC 8446 §C.4 warns of reveals no more than the
 * certificate does.
 */
export interface ClientSessions {
  get(terms: SessionTerms): ClientSession | undefined
  keep(terms: SessionTerms, session: ClientSession): void
}

interface Kept {
  readonly material: TlsMaterial
  readonly byServer: Map<string, ClientSession>
}

export function createClientSessions(): ClientSessions {
  const kept = new WeakMap<ClientTlsContext['material'], Kept>()
  return {
    get(terms) {
      const known = kept.get(terms.context.material)
      return known?.material === terms.material ? known.byServer.get(keyOf(terms)) : undefined
    },
    keep(terms, session) {
      const { context, material } = terms
      if (context.material.current !== material) return
      let known = kept.get(context.material)
      if (known?.material !== material) {
        known = { material, byServer: new Map() }
        kept.set(context.material, known)
      }
      const key = keyOf(terms)
      known.byServer.delete(key)
      known.byServer.set(key, session)
      dropOldest(known.byServer, MAX_SERVERS)
    },
  }
}

/** A session is for the server and the name that it was made with (CVE-2026-48934), and for no other terms. */
function keyOf({ context, server }: SessionTerms): string {
  return [formatAddress(server), context.sni, context.alpn.join(), termsText(context)].join(' ')
}

const peers = new WeakMap<SecureContext, Map<string, X509Certificate>>()

/** Remembers a client's certificate with the chain that it came with: a ticket holds the leaf only. */
export function rememberPeer(context: SecureContext, leaf: X509Certificate): void {
  let known = peers.get(context)
  if (known === undefined) {
    known = new Map()
    peers.set(context, known)
  }
  known.set(leaf.fingerprint256, leaf)
  dropOldest(known, MAX_PEERS)
}

/** The certificate of a client that was known again by a ticket of `context`, with its chain. */
export function rememberedPeer(context: SecureContext, leaf: X509Certificate): X509Certificate {
  return peers.get(context)?.get(leaf.fingerprint256) ?? leaf
}
