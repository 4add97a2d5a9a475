import type { Preface } from '../../net/copy.js'
import { decodeAnyStruct, encodeAnyStruct } from './bare-messages.js'
import { toldOf, type WorkloadMetadata, workloadOf } from './workload.js'

/** ALPN of connections on which both sides say who they are before anything else (Istio's TCP metadata exchange). */
export const PEER_EXCHANGE = 'istio-peer-exchange'

const MAGIC = 0x3d230467
/** Magic and length of what follows, 32 bits each. */
const HEAD_BYTES = 8
/** More is no greeting. */
const MOST_BYTES = 64 * 1024
const [METADATA, ID] = ['x-envoy-peer-metadata', 'x-envoy-peer-metadata-id']

interface Node {
  readonly id: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What goes before the first byte. `additional`: labels, besides those of metrics. */
export function encodeGreeting({ id, metadata }: Node, additional: readonly string[]): Uint8Array {
  const data = encodeAnyStruct({ [METADATA]: toldOf(metadata, additional), ...(id !== '' && { [ID]: id }) })
  const greeting = Buffer.alloc(HEAD_BYTES + data.length)
  greeting.writeUInt32BE(MAGIC)
  greeting.writeUInt32BE(data.length, 4)
  greeting.set(data, HEAD_BYTES)
  return greeting
}

/** {@link encodeGreeting}, once for each configuration. */
export function createGreetings(node: Node): (exchange: { readonly additionalLabels: readonly string[] }) => Uint8Array {
  const known = new WeakMap<object, Uint8Array>()
  return (exchange) => {
    let greeting = known.get(exchange)
    if (greeting === undefined) known.set(exchange, (greeting = encodeGreeting(node, exchange.additionalLabels)))
    return greeting
  }
}

/** Takes the greeting off what a peer sends. Bytes that are none pass as they are: then nobody has said who he is. */
export class GreetingReader implements Preface {
  readonly #heard: (peer: WorkloadMetadata | undefined) => void
  /** What has come so far; joined only when it may be whole, so that one that comes byte by byte costs no more. */
  readonly #held: Uint8Array[] = []
  #size = 0
  #wanted = 0

  /** `heard` is called once; with undefined where there was no greeting. */
  constructor(heard: (peer: WorkloadMetadata | undefined) => void) {
    this.#heard = heard
  }

  take(bytes: Uint8Array): Uint8Array | undefined {
    this.#size += bytes.length
    if (this.#size < this.#wanted) {
      this.#held.push(Uint8Array.from(bytes))
      return undefined
    }
    const all =
      this.#held.length === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.concat([...this.#held, bytes])
    const length = lengthOf(all)
    if (length === undefined) {
      this.#heard(undefined)
      return all
    }
    if (all.length < length) {
      this.#wanted = length
      this.#held.splice(0, this.#held.length, Uint8Array.from(all))
      return undefined
    }
    const told = decodeAnyStruct(all.subarray(HEAD_BYTES, length))?.[METADATA]
    this.#heard(typeof told === 'object' && told !== null ? workloadOf(told as Node['metadata']) : undefined)
    return all.subarray(length)
  }

  rest(): Uint8Array {
    this.#heard(undefined)
    return Buffer.concat(this.#held)
  }
}

/** Of the whole greeting, as far as it can be seen; undefined: it is none. */
function lengthOf(bytes: Buffer): number | undefined {
  for (let i = 0; i < Math.min(bytes.length, 4); i++) if (bytes[i] !== ((MAGIC >>> (24 - 8 * i)) & 0xff)) return undefined
  if (bytes.length < HEAD_BYTES) return HEAD_BYTES
  const length = bytes.readUInt32BE(4)
  return length > MOST_BYTES ? undefined : HEAD_BYTES + length
}
