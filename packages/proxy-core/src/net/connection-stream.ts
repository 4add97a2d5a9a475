import { Duplex } from 'node:stream'
import type { Connection } from './connection.js'

/** A connection as one of Node's streams, for what of Node works on streams alone. `heard`: bytes have come. */
export function streamOf(connection: Connection, heard?: () => void): Duplex {
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
