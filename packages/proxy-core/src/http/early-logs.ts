import type { Timer } from '../net/timers.js'
import type { AccessLogEntry, AccessLogType } from '../observe/access-log.js'
import { isAgreed } from './agreed.js'
import type { ManagerRuntime } from './manager.js'
import type { HttpRequest, HttpResponse } from './message.js'

/** access_log_options of the HTTP manager: lines before a request is over. */
export interface HttpLogOptions {
  readonly onNewRequest: boolean
  /** An upgrade or a CONNECT was agreed on. */
  readonly onTunnel: boolean
  /** Milliseconds; 0: only at the end. */
  readonly flushIntervalMs: number
}

interface LoggedStream extends AccessLogEntry {
  readonly request: HttpRequest
  type: AccessLogType | undefined
  /** Brings the counts of its info up to date. */
  countBytes(): void
}

/** What the logs of one request write before its end. */
export class EarlyLogs {
  readonly #stream: LoggedStream
  readonly #runtime: ManagerRuntime
  readonly #options: HttpLogOptions
  #timer: Timer | undefined

  constructor(stream: LoggedStream, runtime: ManagerRuntime, options: HttpLogOptions) {
    this.#stream = stream
    this.#runtime = runtime
    this.#options = options
  }

  begin(): this {
    const { onNewRequest, flushIntervalMs } = this.#options
    if (onNewRequest) this.#write('DownstreamStart')
    if (flushIntervalMs > 0) this.#timer = this.#runtime.timers.timer(() => this.#periodic())
    this.#timer?.start(flushIntervalMs)
    return this
  }

  answered(response: HttpResponse): void {
    if (this.#options.onTunnel && isAgreed(this.#stream.request, response)) this.#write('DownstreamTunnelSuccessfullyEstablished')
  }

  stop(): void {
    this.#timer?.stop()
  }

  #periodic(): void {
    this.#write('DownstreamPeriodic')
    this.#timer?.start(this.#options.flushIntervalMs)
  }

  #write(type: AccessLogType): void {
    const { clock, manager } = this.#runtime
    const stream = this.#stream
    stream.info.end = clock.monotonic()
    stream.countBytes()
    stream.type = type
    for (const log of manager.accessLogs) log.log(stream)
    stream.type = undefined
    stream.info.end = undefined
  }
}
