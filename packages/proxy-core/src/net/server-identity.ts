import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/** The address of `127.0.0.1:15012` or `[::1]:15012`; undefined: it has a name instead. */
export function ipOf(target: string): string | undefined {
  const host = target.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(host) === 0 ? undefined : host
}

/** Whether a certificate is for `host`, whatever name the server was asked by. */
export function isFor(host: string): (askedFor: string, certificate: PeerCertificate) => Error | undefined {
  return (_, certificate) => checkServerIdentity(host, certificate)
}
