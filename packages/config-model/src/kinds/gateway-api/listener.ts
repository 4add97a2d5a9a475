import { fields } from '../../decode/fields.js'
import { type Decode, listOf, oneOf, text, uint32 } from '../../decode/value.js'
import { type LabelSelector, labelSelector, textMap } from '../common.js'
import { type ObjectReferenceTo, objectReferenceTo } from './references.js'

/** A port, protocol and host that a Gateway or ListenerSet serves. */
export interface Listener {
  name: string
  /** Absent: all hosts. */
  hostname?: string
  /** Absent or 0 only in a ListenerSet: that of the protocol. */
  port?: number
  /** HTTP, HTTPS, TLS, TCP, UDP or a controller's own. */
  protocol: string
  tls?: ListenerTLS
  allowedRoutes?: AllowedRoutes
}

export interface ListenerTLS {
  /** Default Terminate. */
  mode?: 'Terminate' | 'Passthrough'
  certificateRefs?: readonly ObjectReferenceTo[]
  options?: Readonly<Record<string, string>>
}

/** Which routes may attach; absent: those of the same namespace that the protocol can serve. */
export interface AllowedRoutes {
  namespaces?: NamespaceFilter
  kinds?: readonly RouteGroupKind[]
}

export interface NamespaceFilter {
  /** Default Same; None is of `allowedListeners`. */
  from?: 'All' | 'Selector' | 'Same' | 'None'
  selector?: LabelSelector
}

export interface RouteGroupKind {
  group?: string
  kind: string
}

export const namespaceFilter: Decode<NamespaceFilter> = fields<NamespaceFilter>(
  { from: oneOf('All', 'Selector', 'Same', 'None'), selector: labelSelector },
  { open: true },
)

const listenerTls = fields<ListenerTLS>(
  { mode: oneOf('Terminate', 'Passthrough'), certificateRefs: listOf(objectReferenceTo), options: textMap },
  { open: true },
)

const allowedRoutes = fields<AllowedRoutes>(
  {
    namespaces: namespaceFilter,
    kinds: listOf(fields<RouteGroupKind>({ group: text, kind: text }, { required: ['kind'], open: true })),
  },
  { open: true },
)

export const listener: Decode<Listener> = fields<Listener>(
  { name: text, hostname: text, port: uint32, protocol: text, tls: listenerTls, allowedRoutes },
  { required: ['name', 'protocol'], open: true },
)
