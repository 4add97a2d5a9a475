import { isIpAddress } from '../net/address.js'
import type { HeaderMap } from './header-map.js'
import type { LocalReply } from './message.js'

/** What an extension says of the client. `trusted`: the address may make a request internal. */
export type Detected =
  | { readonly kind: 'address'; readonly address: string; readonly trusted: boolean; readonly appendXff: boolean }
  /** It cannot tell; the next is asked. */
  | { readonly kind: 'unknown'; readonly appendXff: boolean }
  | { readonly kind: 'reject'; readonly reply: LocalReply }

/** One of original_ip_detection_extensions. */
export type IpDetection = (headers: HeaderMap, peer: string) => Detected

/** envoy.http.original_ip_detection.custom_header. `rejectStatus`: for requests without a usable address; absent: the next is asked. */
export function createHeaderDetection(name: string, trusted: boolean, rejectStatus: number | undefined): IpDetection {
  const rejected: Detected =
    rejectStatus === undefined
      ? { kind: 'unknown', appendXff: false }
      : { kind: 'reject', reply: { status: rejectStatus, body: '', details: 'rejecting_because_detection_failed' } }
  return (headers) => {
    const address = headers.get(name)
    return address !== undefined && isIpAddress(address) ? { kind: 'address', address, trusted, appendXff: false } : rejected
  }
}

export interface XffDetection {
  /** Proxies before this one, counted from the right. */
  readonly trustedHops: number
  /** Instead of a count: who is a proxy; the last address that is none is the client. */
  readonly isTrusted?: (address: string) => boolean
  readonly append: boolean
}

/** envoy.http.original_ip_detection.xff. */
export function createXffDetection({ trustedHops, isTrusted, append }: XffDetection): IpDetection {
  return (headers, peer) => {
    const list = readForwardedFor(headers)
    const address = isTrusted === undefined ? list[list.length - 1 - trustedHops] : lastUntrusted(list, peer, isTrusted)
    if (address === undefined || !isIpAddress(address)) return { kind: 'unknown', appendXff: append }
    return { kind: 'address', address, trusted: list.length === 1, appendXff: append }
  }
}

function lastUntrusted(list: readonly string[], peer: string, isTrusted: (address: string) => boolean): string | undefined {
  if (!isTrusted(peer)) return undefined
  for (let i = list.length - 1; i >= 0; i--) if (!isTrusted(list[i]!)) return list[i]
  return list[0]
}

const NOBODY: readonly string[] = []

/** The addresses of x-forwarded-for, whose lines become one. */
export function readForwardedFor(headers: HeaderMap): readonly string[] {
  if (!headers.has('x-forwarded-for')) return NOBODY
  const lines = headers.getAll('x-forwarded-for')
  if (lines.length > 1) headers.set('x-forwarded-for', lines.join(','))
  return lines.flatMap((value) => value.split(',')).map((address) => address.trim())
}
