import type { Body, BodySink } from './message.js'

/** No body at all. */
export const emptyBody: Body = {
  length: 0,
  consume: (sink) => sink.end(),
  pause() {},
  resume() {},
  discard() {},
}

/** A body that is already there. */
export function bodyOf(content: string | Uint8Array): Body {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  if (bytes.length === 0) return emptyBody
  return {
    length: bytes.length,
    consume(sink) {
      sink.data(bytes)
      sink.end()
    },
    pause() {},
    resume() {},
    discard() {},
  }
}

/** The whole of a body, for filters that must see it. Rejects with code `too_large` beyond `limit` bytes. */
export function readBody(body: Body, limit: number): Promise<Uint8Array> {
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
      end: () => resolve(Buffer.concat(chunks, length)),
      abort: reject,
    }
    body.consume(sink)
  })
}
