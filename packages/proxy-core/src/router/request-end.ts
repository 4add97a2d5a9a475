import type { Body } from '../http/message.js'

/** The same body; `ended` hears its end before its sink does. */
export function endWatched(body: Body, ended: () => void): Body {
  return {
    length: body.length,
    pause: () => body.pause(),
    resume: () => body.resume(),
    discard: () => body.discard(),
    consume: (sink) =>
      body.consume({
        data: (chunk) => sink.data(chunk),
        end: (trailers) => {
          ended()
          sink.end(trailers)
        },
        abort: (error) => sink.abort(error),
      }),
  }
}
