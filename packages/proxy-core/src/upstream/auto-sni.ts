import type { HttpRequest } from '../http/message.js'
import { isIpAddress } from '../net/address.js'
import type { ClientTlsContext } from '../net/tls.js'

/** upstream_http_protocol_options: the request chooses the server name, and what the certificate must say. */
export interface AutoSni {
  /** The header that has the name where the request has it; else its host. */
  readonly header: string
  /** The certificate must be for that name. */
  readonly validates: boolean
  /** False: the name is only validated. */
  readonly sends: boolean
}

/** The name that a request asks its upstream for. */
export function serverNameOf({ header }: AutoSni, request: HttpRequest): string {
  const value = (header === '' ? undefined : request.headers.get(header)) ?? request.authority
  return value
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
}

/** The context for a request that asks for `name`. An address is never sent as a name (RFC 6066 §3), but may be validated. */
export function contextFor(context: ClientTlsContext, { sends, validates }: AutoSni, name: string): ClientTlsContext {
  const sni = sends ? { sni: isIpAddress(name) ? '' : name } : {}
  if (!validates) return { ...context, ...sni }
  return { ...context, ...sni, mustBeNamed: name }
}
