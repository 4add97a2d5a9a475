import type { Timer, Timers } from '../../net/timers.js'
import type { CodecStats } from '../codec.js'
import { Http2Error } from './error.js'
import { ERROR_CODE } from './frames.js'
import type { Http2Options } from './options.js'

/** Frames that cost work and carry nothing (PING, SETTINGS), a second. */
const MAX_IDLE_FRAMES = 1000
/** Streams that the peer has reset, a second, where few are allowed at once. */
const MIN_RESETS = 200
const PERIOD_MS = 1000
/** HEADERS and CONTINUATION frames of one block. */
export const MAX_BLOCK_FRAMES = 64

/**
 * Ends connections whose peer makes more work than it pays for: CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27919. The
 * limits are Envoy's; what it bounds by its overload manager is bounded here by the second.
 */
export class FloodGuard {
  /** Streams that were opened, and DATA frames that were sent, so far. */
  streams = 0
  dataFrames = 0
  readonly #options: Http2Options
  readonly #stats: CodecStats
  readonly #period: Timer
  #empty = 0
  #priority = 0
  #windowUpdates = 0
  #idleFrames = 0
  #resets = 0

  constructor(options: Http2Options, stats: CodecStats, timers: Timers) {
    this.#options = options
    this.#stats = stats
    this.#period = timers.timer(() => {
      this.#idleFrames = this.#resets = 0
    })
  }

  stop(): void {
    this.#period.stop()
  }

  /** A frame of a message: DATA, HEADERS, CONTINUATION. */
  messageFrame(empty: boolean): void {
    if (!empty) this.#empty = 0
    else if (++this.#empty > this.#options.maxConsecutiveInboundFramesWithEmptyPayload) {
      this.#stats.inboundEmptyFramesFlood.inc()
      throw flood('too many frames without payload', 'http2.inbound_empty_frames_flood')
    }
  }

  priority(): void {
    if (++this.#priority <= this.#options.maxInboundPriorityFramesPerStream * (1 + this.streams)) return
    this.#stats.inboundPriorityFramesFlood.inc()
    throw flood('too many PRIORITY frames', 'http2.inbound_priority_frames_flood')
  }

  windowUpdate(): void {
    const perData = this.#options.maxInboundWindowUpdateFramesPerDataFrameSent
    if (++this.#windowUpdates <= 5 + 2 * (this.streams + perData * this.dataFrames)) return
    this.#stats.inboundWindowUpdateFramesFlood.inc()
    throw flood('too many WINDOW_UPDATE frames', 'http2.inbound_window_update_frames_flood')
  }

  /** PING and SETTINGS. */
  idleFrame(): void {
    this.#count()
    if (++this.#idleFrames <= MAX_IDLE_FRAMES) return
    this.#stats.outboundControlFlood.inc()
    throw flood('too many PING and SETTINGS frames', 'http2.outbound_control_frames_flood')
  }

  /** The peer has reset a stream of its own. */
  reset(): void {
    this.#count()
    const most = Math.max(MIN_RESETS, 2 * Math.min(this.#options.maxConcurrentStreams, MAX_IDLE_FRAMES))
    if (++this.#resets > most) throw flood('too many streams were reset', 'http2.too_many_resets')
  }

  blockFrame(count: number): void {
    if (count <= MAX_BLOCK_FRAMES) return
    this.#stats.tooManyHeaderFrames.inc()
    throw flood('too many CONTINUATION frames', 'http2.too_many_header_frames')
  }

  /** Frames that wait because the peer does not read. */
  outbound(frames: number, controlFrames: number): void {
    if (controlFrames > this.#options.maxOutboundControlFrames) {
      this.#stats.outboundControlFlood.inc()
      throw flood('too many control frames wait', 'http2.outbound_control_frames_flood')
    }
    if (frames <= this.#options.maxOutboundFrames) return
    this.#stats.outboundFlood.inc()
    throw flood('too many frames wait', 'http2.outbound_frames_flood')
  }

  #count(): void {
    if (!this.#period.running) this.#period.start(PERIOD_MS)
  }
}

function flood(message: string, details: string): Http2Error {
  return new Http2Error(ERROR_CODE.enhanceYourCalm, message, { details })
}
