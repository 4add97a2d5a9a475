import type { Response } from './protocol/stream-protocol.js'

/** What a response says besides its resources, and what its reader understands. */
export interface WriteOptions {
  /** `control_plane.identifier`. */
  readonly identifier: string
  /** Whether TTLs and heartbeats may be in it. */
  readonly ttl: boolean
}

/** Bytes of responses but for the nonce, which is each stream's own: what many streams get is encoded once, and the bytes are the same object. */
export interface SharedBodies {
  of(response: Response, options: WriteOptions): Uint8Array
}

interface Body {
  readonly response: Response
  readonly options: WriteOptions
  readonly bytes: Uint8Array
}

/** `encode` leaves the nonce out. */
export function createSharedBodies(encode: (response: Response, options: WriteOptions) => Uint8Array): SharedBodies {
  // By the first resource. Weak: a change for all streams is made and gone within a moment, and its body lives until memory is wanted.
  const bodies = new WeakMap<object, WeakRef<Body>>()
  return {
    of(response, options) {
      const [first] = response.resources
      if (first === undefined || !isPlain(response)) return encode(response, options)
      const known = bodies.get(first)?.deref()
      if (known !== undefined && isSame(known, response, options)) return known.bytes
      const bytes = encode(response, options)
      bodies.set(first, new WeakRef({ response, options, bytes }))
      return bytes
    },
  }
}

/** Resources, and nothing that is for one stream. */
function isPlain({ removed, heartbeats, unresolved }: Response): boolean {
  return removed.length === 0 && heartbeats === undefined && unresolved === undefined
}

function isSame({ response: a, options }: Body, b: Response, { identifier, ttl }: WriteOptions): boolean {
  if (options.ttl !== ttl || options.identifier !== identifier) return false
  if (a.typeUrl !== b.typeUrl || a.version !== b.version || a.resources.length !== b.resources.length) return false
  for (let i = 0; i < a.resources.length; i++) if (a.resources[i] !== b.resources[i]) return false
  return true
}

/** `nonce`, field 5 of the responses of both protocols: ASCII, less than 128 characters. Fields stand in any order, so it may go in front. */
export function nonceField(nonce: string): Uint8Array {
  const field = new Uint8Array(2 + nonce.length)
  field[0] = (5 << 3) | 2
  field[1] = nonce.length
  for (let i = 0; i < nonce.length; i++) field[2 + i] = nonce.charCodeAt(i)
  return field
}
