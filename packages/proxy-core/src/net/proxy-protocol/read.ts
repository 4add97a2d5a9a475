import { parseIp } from '../../matcher/ip.js'
import { canonicalIpv6, ipv6Text } from '../address.js'
import type { SocketAddress } from '../connection.js'
import { asBuffer } from '../held-bytes.js'
import {
  type ProxiedConnection,
  type ProxyProtocolVersion,
  type Tlv,
  V1_LONGEST,
  V1_SIGNATURE,
  V2_ADDRESSES,
  V2_PREFIX,
  V2_SIGNATURE,
} from './header.js'

export type ProxyHeaderOutcome =
  | { readonly kind: 'more' | 'absent' }
  | { readonly kind: 'malformed'; readonly version: ProxyProtocolVersion }
  | {
      readonly kind: 'header'
      readonly version: ProxyProtocolVersion
      /** Bytes to take from the connection. */
      readonly length: number
      /** Undefined: the proxy speaks for itself (UNKNOWN, LOCAL), and the connection's own addresses hold. */
      readonly proxied: ProxiedConnection | undefined
    }

const MORE: ProxyHeaderOutcome = { kind: 'more' }
const ABSENT: ProxyHeaderOutcome = { kind: 'absent' }
const BAD_V1: ProxyHeaderOutcome = { kind: 'malformed', version: 'V1' }
const BAD_V2: ProxyHeaderOutcome = { kind: 'malformed', version: 'V2' }

/** Reads the header at the start of a connection. Only what begins like one of `versions` is taken for one. Never throws. */
export function readProxyHeader(bytes: Uint8Array, versions: readonly ProxyProtocolVersion[] = ['V1', 'V2']): ProxyHeaderOutcome {
  if (versions.includes('V2')) {
    const like = beginsLike(bytes, V2_SIGNATURE)
    if (like === 'whole') return readV2(asBuffer(bytes))
    if (like === 'part') return MORE
  }
  if (!versions.includes('V1')) return ABSENT
  const like = beginsLike(bytes, V1_SIGNATURE)
  return like === 'whole' ? readV1(asBuffer(bytes)) : like === 'part' ? MORE : ABSENT
}

function beginsLike(bytes: Uint8Array, signature: Uint8Array): 'whole' | 'part' | 'not' {
  const length = Math.min(bytes.length, signature.length)
  for (let i = 0; i < length; i++) if (bytes[i] !== signature[i]) return 'not'
  return bytes.length >= signature.length ? 'whole' : 'part'
}

function readV1(bytes: Buffer): ProxyHeaderOutcome {
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n')
  if (end < 0) return bytes.length >= V1_LONGEST ? BAD_V1 : MORE
  const length = end + 2
  const [, protocol, from = '', to = '', fromPort = '', toPort = '', ...rest] = bytes.toString('latin1', 0, end).split(' ')
  if (protocol === 'UNKNOWN') return { kind: 'header', version: 'V1', length, proxied: undefined }
  const ipv6 = protocol === 'TCP6'
  if ((protocol !== 'TCP4' && !ipv6) || rest.length > 0) return BAD_V1
  const source = addressOf(from, fromPort, ipv6)
  const destination = addressOf(to, toPort, ipv6)
  if (source === undefined || destination === undefined) return BAD_V1
  return { kind: 'header', version: 'V1', length, proxied: { source, destination, tlvs: [] } }
}

function addressOf(address: string, port: string, ipv6: boolean): SocketAddress | undefined {
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65535 || address.includes(':') !== ipv6) return undefined
  if (parseIp(address) === undefined || !isUnicast(address)) return undefined
  return { address: ipv6 ? canonicalIpv6(address) : address, port: Number(port) }
}

/** TCP has only one peer: neither everybody nor nobody. */
function isUnicast(address: string): boolean {
  const ip = parseIp(address)
  if (ip === undefined || ip.value === 0n) return false
  return ip.bits === 32 ? ip.value >> 28n !== 0xen && ip.value !== 0xffffffffn : ip.value >> 120n !== 0xffn
}

function readV2(bytes: Buffer): ProxyHeaderOutcome {
  if (bytes.length < V2_PREFIX) return MORE
  const [versionAndCommand = 0, familyAndTransport = 0] = bytes.subarray(V2_SIGNATURE.length)
  const command = versionAndCommand & 0xf
  if (versionAndCommand >> 4 !== 2 || command > 1) return BAD_V2
  const length = V2_PREFIX + bytes.readUInt16BE(V2_PREFIX - 2)
  const [family, transport] = [familyAndTransport >> 4, familyAndTransport & 0xf]
  const ipv6 = family === 2
  const tlvsAt = V2_PREFIX + V2_ADDRESSES[ipv6 ? 'ipv6' : 'ipv4']
  const readable = (family === 1 || ipv6) && (transport === 1 || transport === 2) && tlvsAt <= length
  if (command === 1 && !readable) return BAD_V2
  if (bytes.length < length) return MORE
  if (command === 0) return { kind: 'header', version: 'V2', length, proxied: undefined }
  const [source, destination] = v2Addresses(bytes, ipv6)
  const tlvs = readTlvs(bytes.subarray(tlvsAt, length))
  if (tlvs === undefined || !isUnicast(source.address) || !isUnicast(destination.address)) return BAD_V2
  return { kind: 'header', version: 'V2', length, proxied: { source, destination, tlvs } }
}

function v2Addresses(bytes: Buffer, ipv6: boolean): readonly [SocketAddress, SocketAddress] {
  const width = ipv6 ? 16 : 4
  const text = (at: number): string => {
    const part = bytes.subarray(at, at + width)
    return ipv6 ? ipv6Text(part) : part.join('.')
  }
  const ports = V2_PREFIX + 2 * width
  return [
    { address: text(V2_PREFIX), port: bytes.readUInt16BE(ports) },
    { address: text(V2_PREFIX + width), port: bytes.readUInt16BE(ports + 2) },
  ]
}

/** Undefined: a length says more than there is (CVE-2024-23327). */
function readTlvs(bytes: Buffer): readonly Tlv[] | undefined {
  const tlvs: Tlv[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return undefined
    const end = at + 3 + bytes.readUInt16BE(at + 1)
    if (end > bytes.length) return undefined
    tlvs.push({ type: bytes[at]!, value: Uint8Array.from(bytes.subarray(at + 3, end)) })
    at = end
  }
  return tlvs
}
