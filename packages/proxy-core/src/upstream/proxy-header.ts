import type { UpstreamProxyProtocol } from '../config/proxy-protocol.js'
import { formatAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import { writeProxyHeader } from '../net/proxy-protocol/write.js'

/**
 * What an upstream that wants a PROXY header is sent first: who `downstream` is, or the proxy itself where nobody is served
 * (health checks). Throws a RangeError when the TLVs are too long for a header.
 */
export function proxyHeaderFor(config: UpstreamProxyProtocol, upstream: Connection, downstream?: Connection): Uint8Array {
  if (downstream === undefined)
    return writeProxyHeader(config.version, { source: upstream.local, destination: upstream.remote, tlvs: config.added })
  const { remote: source, originalDestination: destination = downstream.local, tlvs = [] } = downstream
  const passedOn = tlvs.filter(({ type }) => config.passesOn(type) && !config.added.some((own) => own.type === type))
  return writeProxyHeader(config.version, { source, destination, tlvs: [...config.added, ...passedOn] })
}

/** The same for connections that get the same header, but for TLVs: those that differ in them differ in addresses too. */
export function proxyHeaderKey({ remote, originalDestination, local }: Connection): string {
  return `${formatAddress(remote)} ${formatAddress(originalDestination ?? local)}`
}
