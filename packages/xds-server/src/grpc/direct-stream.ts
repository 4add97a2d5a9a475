import type { Duplex } from 'node:stream'
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { createMessageReader } from './message-reader.js'

/** A call's messages as they stand on its HTTP/2 stream. */
export interface DirectStream {
  /** Begins to give what the client sends. */
  start(listener: { message(body: Buffer): void; ended(): void; drained(): void }): void
  /** Sends one message, of parts that are not copied. False: the client has much unread already; `drained` follows. */
  write(parts: readonly Uint8Array[]): boolean
  pause(): void
  resume(): void
}

/** What of grpc-js 1.14's BaseServerInterceptingCall is used here. */
interface InnerCall {
  /** node:http2's. */
  readonly stream: Duplex & { readonly respond: unknown }
  readonly maxReceiveMessageSize: number
  readonly incomingEncoding: string
  sendMetadata(metadata: Metadata): void
  sendStatus(status: { code: status; details: string; metadata: null }): void
}

// A client that leaves this much unread is slow.
const UNREAD_BYTES = 256 * 1024
const LONGEST = 0xffff_ffff

/**
 * The HTTP/2 stream below a call, for messages to go past grpc-js, which copies each into a buffer of its own and gives what comes through two streams
 * and a promise: a push to thousands of clients is half that work. Reaches into grpc-js, so it gives undefined where that looks otherwise than in the
 * version it was written for, where the client compresses, and where interceptors want to see what passes; calls are then served in the public way.
 */
export function directStreamOf(call: ServerDuplexStream<Buffer, Buffer>): DirectStream | undefined {
  const inner = innerCallOf(call)
  if (inner === undefined || inner.incomingEncoding !== 'identity') return undefined
  const { stream, maxReceiveMessageSize } = inner
  let begun = false
  return {
    start({ message, ended, drained }) {
      const reader = createMessageReader({
        maxBytes: maxReceiveMessageSize < 0 ? LONGEST : maxReceiveMessageSize,
        message,
        failed: (details) => inner.sendStatus({ code: status.RESOURCE_EXHAUSTED, details, metadata: null }),
      })
      stream.removeAllListeners('data')
      stream.on('data', (bytes: Buffer) => reader.read(bytes))
      stream.on('end', ended)
      stream.on('drain', drained)
      stream.resume()
    },
    write(parts) {
      if (stream.destroyed || stream.writableEnded) return true
      if (!begun) inner.sendMetadata(NO_METADATA)
      begun = true
      stream.cork()
      stream.write(prefixed(parts))
      for (let i = 1; i < parts.length; i++) stream.write(parts[i])
      stream.uncork()
      return stream.writableLength < UNREAD_BYTES
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  }
}

const NO_METADATA = new Metadata()
const NOTHING = new Uint8Array(0)

/** The first part of a message with what stands in front: that it is not compressed, and how long it is. */
function prefixed(parts: readonly Uint8Array[]): Buffer {
  const [first = NOTHING] = parts
  let size = 0
  for (const { length } of parts) size += length
  const bytes = Buffer.allocUnsafe(5 + first.length)
  bytes[0] = 0
  bytes.writeUInt32BE(size, 1)
  bytes.set(first, 5)
  return bytes
}

function innerCallOf(call: object): InnerCall | undefined {
  const inner = (call as { call?: Partial<InnerCall> }).call
  const { stream } = inner ?? {}
  const fits =
    typeof inner?.sendMetadata === 'function' &&
    typeof inner.sendStatus === 'function' &&
    typeof inner.maxReceiveMessageSize === 'number' &&
    typeof inner.incomingEncoding === 'string' &&
    typeof stream?.respond === 'function' &&
    stream.isPaused() &&
    stream.listenerCount('data') === 1
  return fits ? (inner as InnerCall) : undefined
}
