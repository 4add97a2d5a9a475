import { Duplex } from 'node:stream'
import type { Connection } from './connection.js'

/** What the stream's users do not tell. */
interface StreamEvents {
  /** Bytes have come. */
  heard?(): void
  /** The other side will send no more, whether or not somebody has read what it sent. */
  ended?(): void
}

/** A connection as one of Node's streams, for what of Node works on streams alone. */
export function streamOf(connection: Connection, { heard, ended }: StreamEvents = {}): Duplex {
  let waiting: (() => void) | undefined
  let closed = false
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => connection.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (closed || connection.write(chunk)) done()
      else waiting = done
    },
    final(done) {
      connection.end()
      done()
    },
    destroy(error, done) {
      connection.destroy()
      done(error)
    },
  })
  const released = (): void => {
    const done = waiting
    waiting = undefined
    done?.()
  }
  connection.handle({
    onData(bytes) {
      heard?.()
      if (!stream.push(Buffer.from(bytes))) connection.pause()
    },
    onEnd() {
      ended?.()
      stream.push(null)
    },
    onDrain: released,
    onClose(error) {
      closed = true
      released()
      stream.destroy(error)
    },
  })
  return stream
}
