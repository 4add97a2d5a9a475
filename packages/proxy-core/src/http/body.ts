import type { HeaderMap } from './header-map.js'
import type { Body, BodySink } from './message.js'

/** No body at all. */
export const emptyBody: Body = {
  length: 0,
  consume: (sink) => sink.end(),
  pause() {},
  resume() {},
  discard() {},
}

/** A body that is already there. With trailers it tells no length, so that they can follow it. */
export function bodyOf(content: string | Uint8Array, trailers?: HeaderMap): Body {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  if (bytes.length === 0 && trailers === undefined) return emptyBody
  return {
    length: trailers === undefined ? bytes.length : undefined,
    consume(sink) {
      if (bytes.length > 0) sink.data(bytes)
      sink.end(trailers)
    },
    pause() {},
    resume() {},
    discard() {},
  }
}

/** A body that has come whole. */
export interface WholeBody {
  readonly bytes: Uint8Array
  readonly trailers: HeaderMap | undefined
}

/** The whole of a body, for filters that must see it. Rejects with code `too_large` beyond `limit` bytes. */
export function readBody(body: Body, limit: number): Promise<Uint8Array> {
  return readWhole(body, limit).then(({ bytes }) => bytes)
}

/** {@link readBody}, with what follows the bytes. */
export function readWhole(body: Body, limit: number): Promise<WholeBody> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let length = 0
    const sink: BodySink = {
      data(chunk) {
        length += chunk.length
        if (length > limit) {
          body.discard()
          reject(Object.assign(new Error(`the body is larger than ${limit} bytes`), { code: 'too_large' }))
          return true
        }
        chunks.push(Buffer.from(chunk))
        return true
      },
      end: (trailers) => resolve({ bytes: Buffer.concat(chunks, length), trailers }),
      abort: reject,
    }
    body.consume(sink)
  })
}
