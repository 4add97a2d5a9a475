/** RFC 1035, 4.1.1. */
export const RCODE = { noError: 0, formatError: 1, serverFailure: 2 } as const

const TYPE = { A: 1, CNAME: 5, OPT: 41, AAAA: 28 } as const
const INTERNET = 1
/** Istio's; short, since addresses of endpoints come and go. */
const TTL_S = 30
const HEADER = 12
/** Of a record whose owner is a pointer: all before its data. */
const RECORD_HEAD = 12
/** RFC 1035, 4.1.4: a pointer to the name of the question. */
const QUESTION_NAME = 0xc000 | HEADER
const FLAG = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 }
const OPCODE = 0x7800
/** What we take ourselves, told to clients that speak EDNS. */
const OUR_UDP_SIZE = 4096

export interface Reply {
  readonly rcode: number
  readonly authoritative?: boolean
  readonly cname?: string
  /** Raw, of 4 or 16 bytes. */
  readonly addresses?: readonly Uint8Array[]
  /** The question had an OPT record, so the reply has one. */
  readonly edns?: boolean
}

/**
 * The reply to a query in wire form, at most `limit` bytes: answers that do not fit are left out, and the client is told to come by TCP (TC). Names
 * are pointers to the question, which dns-packet does not write: 30 addresses fit into 512 bytes, not 11. The question is copied as it came, with
 * its letters' case. `questionEnd`: where it ends; the header's end without one.
 */
export function encodeReply(query: Buffer, questionEnd: number, reply: Reply, limit: number): Buffer {
  const { rcode, cname, addresses = [], edns = false } = reply
  const parts: Buffer[] = [query.subarray(HEADER, questionEnd)]
  let size = questionEnd + (edns ? 11 : 0)
  let owner = QUESTION_NAME
  let count = 0
  let truncated = false
  const add = (record: Buffer): void => {
    truncated ||= size + record.length > limit
    if (truncated) return
    parts.push(record)
    size += record.length
    count++
  }
  if (cname !== undefined) {
    const target = encodeName(cname)
    // Its data is the name that the addresses belong to.
    const at = questionEnd + RECORD_HEAD
    add(record(owner, TYPE.CNAME, target))
    owner = 0xc000 | at
  }
  for (const address of addresses) add(record(owner, address.length === 4 ? TYPE.A : TYPE.AAAA, Buffer.from(address)))
  if (edns) parts.push(optRecord())
  const asked = query.readUInt16BE(2)
  const flags =
    FLAG.response |
    (asked & OPCODE) |
    (asked & FLAG.recursionDesired) |
    FLAG.recursionAvailable |
    (reply.authoritative === true ? FLAG.authoritative : 0) |
    (truncated ? FLAG.truncated : 0) |
    rcode
  const header = [query.readUInt16BE(0), flags, questionEnd > HEADER ? 1 : 0, count, 0, edns ? 1 : 0]
  return Buffer.concat([words(...header), ...parts])
}

/** Where the only question ends; undefined: it is not whole, or its name is not plain. */
export function endOfQuestion(query: Buffer): number | undefined {
  let at = HEADER
  while (at < query.length) {
    const length = query[at]!
    if (length > 63) return undefined
    at += length + 1
    if (length === 0) return at + 4 <= query.length ? at + 4 : undefined
  }
  return undefined
}

/** The reply with nothing but what the client needs to come again by TCP, where it is longer than `limit`. */
export function truncate(reply: Buffer, limit: number): Buffer {
  const end = reply.length > limit ? endOfQuestion(reply) : undefined
  if (reply.length <= limit) return reply
  const cut = Buffer.from(reply.subarray(0, end ?? HEADER))
  cut.writeUInt16BE(cut.readUInt16BE(2) | FLAG.truncated, 2)
  cut.writeUInt16BE(end === undefined ? 0 : 1, 4)
  return cut.fill(0, 6, HEADER)
}

const words = (...values: readonly number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))

function record(owner: number, type: number, data: Buffer): Buffer {
  return Buffer.concat([words(owner, type, INTERNET, 0, TTL_S, data.length), data])
}

/** RFC 6891, 6.1.2. */
function optRecord(): Buffer {
  return Buffer.concat([Buffer.of(0), words(TYPE.OPT, OUR_UDP_SIZE, 0, 0, 0)])
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)])
}
