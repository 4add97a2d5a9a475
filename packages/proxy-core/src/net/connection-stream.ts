import { Duplex } from 'node:stream'
import type { Connection } from './connection.js'

/** A connection as one of Node's streams, for node:tls over what is no socket. Slower than a socket, and only for that. */
export function streamOf(connection: Connection): Duplex {
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
