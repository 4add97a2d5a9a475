import { isIPv4 } from 'node:net'
import type { Random } from '@heddle/runtime'
import { type DecodedPacket, decode } from 'dns-packet'
import type { LookupTable } from './lookup-table.js'
import { encodeReply, endOfQuestion, RCODE } from './reply.js'

const HEADER = 12
const RESPONSE = 0x80
const MOST_BYTES = 65_535

export interface Asked {
  readonly protocol: 'udp' | 'tcp'
  readonly random: Random
}

/** What becomes of a message: a reply, or the question goes to the servers of resolv.conf; undefined: it was no question. */
export type Handling = { readonly reply: Buffer } | { readonly forward: true; readonly limit: number } | undefined

/** Answers from the table what the mesh knows. `table` undefined: it has not come yet; `untilThen` says what then. Never throws. */
export function answer(query: Buffer, table: LookupTable | undefined, untilThen: 'fail' | 'forward', asked: Asked): Handling {
  if (query.length < HEADER || (query[2]! & RESPONSE) !== 0) return undefined
  const packet = read(query)
  if (packet === undefined) return { reply: encodeReply(query, HEADER, { rcode: RCODE.formatError }, MOST_BYTES) }
  const edns = packet.additionals?.find((record) => record.type === 'OPT')
  const limit = asked.protocol === 'tcp' ? MOST_BYTES : Math.max(512, edns?.udpPayloadSize ?? 0)
  const [question, ...others] = packet.questions ?? []
  const end = endOfQuestion(query)
  const reply = (rcode: number): Handling => ({
    reply: encodeReply(query, end ?? HEADER, { rcode, edns: edns !== undefined }, limit),
  })
  if (question === undefined || others.length > 0 || end === undefined) return reply(RCODE.serverFailure)
  const forward: Handling = { forward: true, limit }
  if (table === undefined) return untilThen === 'forward' ? forward : reply(RCODE.serverFailure)
  const { type } = question
  const found = type === 'A' || type === 'AAAA' ? table.lookup(question.name.toLowerCase(), type) : undefined
  if (found === undefined) return forward
  // No address of this family is an empty answer. NXDOMAIN would say that the name is not there, and a client that asks for both families believe it.
  const addresses = shuffle(found.addresses, asked.random).map(addressBytes)
  const cname = addresses.length > 0 && found.cname !== undefined ? { cname: found.cname } : {}
  const answers = { rcode: RCODE.noError, authoritative: true, ...cname, addresses, edns: edns !== undefined }
  return { reply: encodeReply(query, end, answers, limit) }
}

/** The reply when nobody could be asked. */
export function failure(query: Buffer): Buffer {
  return encodeReply(query, endOfQuestion(query) ?? HEADER, { rcode: RCODE.serverFailure }, MOST_BYTES)
}

function read(query: Buffer): DecodedPacket | undefined {
  try {
    return decode(query)
  } catch {
    return undefined
  }
}

/** So that clients which take the first spread over all. */
function shuffle<T>(list: readonly T[], random: Random): T[] {
  const shuffled = [...list]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1))
    ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
  }
  return shuffled
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number))
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = (text: string): number[] =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)]
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
          return [a * 256 + b, c * 256 + d]
        })
  const [front, back] = [groups(head), groups(tail ?? '')]
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0)
  return Uint8Array.from([...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 255]))
}
