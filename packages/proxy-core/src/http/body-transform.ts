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
