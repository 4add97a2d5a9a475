import type { HeaderMap } from './header-map.js'
import type { Body, BodySink } from './message.js'

/** A body whose bytes go through what `wrap` makes of the sink. Its length is not known any more. */
export function transformBody(body: Body, wrap: (sink: BodySink) => BodySink): Body {
  return {
    length: undefined,
    consume: (sink) => body.consume(wrap(sink)),
    pause: () => body.pause(),
    resume: () => body.resume(),
    discard: () => body.discard(),
  }
}

/** The same body; `heard` is told of every piece of it. */
export function pieceWatched(body: Body, heard: () => void): Body {
  return watched(body, (sink) => ({
    data(chunk) {
      heard()
      return sink.data(chunk)
    },
    end: (trailers) => sink.end(trailers),
    abort: (error) => sink.abort(error),
  }))
}

/** The same body; `ended` hears its end before its sink does. */
export function endWatched(body: Body, ended: (trailers: HeaderMap | undefined) => void): Body {
  return watched(body, (sink) => ({
    data: (chunk) => sink.data(chunk),
    end(trailers) {
      ended(trailers)
      sink.end(trailers)
    },
    abort: (error) => sink.abort(error),
  }))
}

/** Of what goes through nothing changes, and so not its length. */
function watched(body: Body, wrap: (sink: BodySink) => BodySink): Body {
  return { ...transformBody(body, wrap), length: body.length }
}
