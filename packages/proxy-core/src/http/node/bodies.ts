import type { Readable, Writable } from 'node:stream'
import type { HeaderMap } from '../header-map.js'
import type { Body, BodySink } from '../message.js'

/** A body that one of Node's streams brings. */
export interface StreamBody extends Body {
  readonly received: number
  /** Nothing more will come. */
  readonly over: boolean
  /** Its sender is gone. */
  fail(error: Error): void
}

/** `trailers` is asked at the end. `ended`: everything has come, told before the sink hears it. */
export function bodyOfStream(
  stream: Readable,
  length: number | undefined,
  trailers: () => HeaderMap | undefined,
  ended: () => void,
): StreamBody {
  let [received, over] = [0, false]
  let sink: BodySink | undefined
  let failure: Error | undefined
  const onData = (chunk: Buffer): void => {
    received += chunk.length
    if (sink?.data(chunk) === false) stream.pause()
  }
  const onEnd = (): void => {
    if (over) return
    over = true
    ended()
    sink?.end(trailers())
  }
  stream.on('data', onData)
  stream.on('end', onEnd)
  // Listening has set it going: it waits for its consumer.
  stream.pause()
  return {
    length,
    get received() {
      return received
    },
    get over() {
      return over
    },
    consume(consumer) {
      sink = consumer
      if (failure === undefined) stream.resume()
      else consumer.abort(failure)
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    discard() {
      sink = undefined
      stream.resume()
    },
    fail(error) {
      if (over) return
      over = true
      failure = error
      const heard = sink
      sink = undefined
      heard?.abort(error)
    },
  }
}

/** What becomes of a body on its way into one of Node's streams. */
export interface Sending {
  /** Bytes given to the stream. */
  readonly sent: number
  /** The rest is not wanted. */
  stop(): void
}

interface SendingEvents {
  /** The last byte is given. */
  onEnd(trailers: HeaderMap | undefined): void
  /** The sender is gone, or says more or less than it promised. */
  onBroken(error: Error): void
}

export function sendBody(body: Body, into: Writable, events: SendingEvents): Sending {
  let [sent, stopped] = [0, false]
  const onDrain = (): void => body.resume()
  into.on('drain', onDrain)
  const stop = (): void => {
    stopped = true
    into.off('drain', onDrain)
  }
  const wrong = (): void => {
    stop()
    body.discard()
    events.onBroken(new Error(`a body of ${body.length} bytes was promised`))
  }
  body.consume({
    data(chunk) {
      if (stopped || chunk.length === 0) return true
      sent += chunk.length
      if (body.length !== undefined && sent > body.length) {
        wrong()
        return true
      }
      // The chunk is another's after this call.
      return into.write(Buffer.from(chunk))
    },
    end(trailers) {
      if (stopped) return
      if (body.length !== undefined && sent !== body.length) {
        wrong()
        return
      }
      stop()
      events.onEnd(trailers)
    },
    abort(error) {
      if (stopped) return
      stop()
      events.onBroken(error)
    },
  })
  return {
    get sent() {
      return sent
    },
    stop() {
      if (stopped) return
      stop()
      body.discard()
    },
  }
}
