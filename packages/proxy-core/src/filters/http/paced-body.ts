import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { HeaderMap } from '../../http/header-map.js'
import type { Body } from '../../http/message.js'

const TICKS_PER_SECOND = 20
const TICK_MS = 1000 / TICKS_PER_SECOND

/** `body` at no more than `kibPerSecond` KiB a second, in steps of 50 ms. What is not due yet stays here; its source is paused. */
export function paceBody(body: Body, kibPerSecond: number, clock: Clock): Body {
  const share = Math.max(1, Math.floor((kibPerSecond * 1024) / TICKS_PER_SECOND))
  let held: Uint8Array = new Uint8Array()
  let end: { readonly trailers: HeaderMap | undefined } | undefined
  let stop: Unsubscribe | undefined
  let paused = false
  let tick = (): void => {}

  const schedule = (): void => {
    if (stop === undefined && !paused && (held.length > 0 || end !== undefined)) stop = clock.after(TICK_MS, tick)
  }
  return {
    length: body.length,
    consume(sink) {
      tick = () => {
        stop = undefined
        const due = held.subarray(0, share)
        held = held.subarray(due.length)
        if (due.length > 0 && !sink.data(due)) paused = true
        if (held.length === 0 && end !== undefined) sink.end(end.trailers)
        else if (held.length === 0) body.resume()
        else schedule()
      }
      body.consume({
        data(chunk) {
          held = Buffer.concat([held, chunk])
          schedule()
          return false
        },
        end(trailers) {
          end = { trailers }
          if (held.length === 0 && stop === undefined) sink.end(trailers)
        },
        abort(error) {
          stop?.()
          sink.abort(error)
        },
      })
    },
    pause() {
      paused = true
      stop?.()
      stop = undefined
    },
    resume() {
      paused = false
      if (held.length === 0 && end === undefined) body.resume()
      else schedule()
    },
    discard() {
      stop?.()
      stop = undefined
      held = new Uint8Array()
      body.discard()
    },
  }
}
