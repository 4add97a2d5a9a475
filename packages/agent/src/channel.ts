import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials, type VerifyOptions } from '@grpc/grpc-js'

export interface ChannelSettings {
  readonly credentials: ChannelCredentials
  readonly channelOptions: ChannelOptions
}

/** Said instead of an IP address, which is no server name (RFC 6066 §3): grpc-js would say it, and Node 26 refuses to. */
const NO_NAME = 'ip-address.invalid'

/**
 * How grpc-js makes sure of who answers at `address`. `rootCertificate`: PEM; absent: plaintext. `serverName`: in its certificate, where
 * it is not the host of the address.
 */
export function channelTo(address: string, rootCertificate: string | undefined, serverName?: string): ChannelSettings {
  if (rootCertificate === undefined) return { credentials: credentials.createInsecure(), channelOptions: {} }
  const ip = serverName === undefined ? ipOf(address) : undefined
  const name = ip === undefined ? serverName : NO_NAME
  const verify: VerifyOptions =
    ip === undefined ? {} : { checkServerIdentity: (_, certificate) => checkServerIdentity(ip, certificate) }
  return {
    credentials: credentials.createSsl(Buffer.from(rootCertificate), null, null, verify),
    channelOptions: name === undefined ? {} : { 'grpc.ssl_target_name_override': name },
  }
}

/** `127.0.0.1:15012`, `[::1]:15012`; undefined: it has a name. */
function ipOf(address: string): string | undefined {
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(host) === 0 ? undefined : host
}
