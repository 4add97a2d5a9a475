import type { StreamInfo } from '../http/stream-info.js'
import type { DynamicMetadata } from '../matcher/value.js'
import type { SocketAddress } from '../net/connection.js'
import type { RequestHead } from '../route/table.js'

/** What a policy may ask about: a request, or a bare connection when `head` is absent. */
export interface RbacQuestion {
  readonly head?: RequestHead | undefined
  /** Peer of the connection. */
  readonly directSource: string
  /** The client as x-forwarded-for and PROXY protocol tell it. */
  readonly source: string
  readonly destination: SocketAddress
  /** From the TLS inspector; empty without. */
  readonly serverName: string
  /** The peer showed a certificate that was verified. */
  readonly authenticated: boolean
  /** URI SANs of that certificate; DNS names and subject where it has none. */
  readonly principals: readonly string[]
  readonly metadata: DynamicMetadata
  /** What else is known of the request, for conditions in CEL; absent for a bare connection and where nothing is sent. */
  readonly info?: StreamInfo
}
