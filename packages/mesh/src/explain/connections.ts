import type { ConnectionFacts } from '@heddle/proxy-core'
import type { Destination } from './destination.js'
import type { RequestUrl } from './request-url.js'

/** What a proxy sees of the caller's own connection: of https the name in the ClientHello, and nothing of the request. */
export function callersConnection(
  source: string,
  destination: Destination,
  { scheme, host }: Pick<RequestUrl, 'scheme' | 'host'>,
): ConnectionFacts {
  const plain = plaintext(source, destination)
  if (scheme === 'http') return plain
  // A ClientHello names hosts alone (RFC 6066, section 3).
  const name = /^[\d.]+$|:/.test(host) ? {} : { serverName: host.toLowerCase() }
  return { ...plain, transportProtocol: 'tls', applicationProtocols: ['h2', 'http/1.1'], ...name }
}

/** The mTLS of a sidecar or gateway, around HTTP or around bytes that it did not look into. */
export function mutualTls(source: string, destination: Destination, identity: string, inside: 'http' | 'bytes'): ConnectionFacts {
  const applicationProtocols = inside === 'http' ? ['istio-http/1.1', 'istio', 'http/1.1'] : ['istio-peer-exchange', 'istio']
  return { ...plaintext(source, destination), transportProtocol: 'tls', applicationProtocols, peerUris: [identity] }
}

function plaintext(source: string, destination: Destination): ConnectionFacts {
  const peer = { address: source === '' ? '127.0.0.1' : source, port: 40_000 }
  return { destination, source: peer, directSource: peer, transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1'] }
}
