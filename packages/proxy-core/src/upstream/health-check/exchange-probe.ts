import type { ClientExchange, ClientSession } from '../../http/codec.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import { failed, type ProbeResult } from './health-check.js'
import type { Probe } from './session.js'

/** The answer to a check, read to its end. */
export interface ProbeAnswer {
  readonly status: number
  readonly headers: HeaderMap
  readonly trailers: HeaderMap | undefined
  readonly body: Uint8Array
}

export interface ExchangeProbeOptions {
  request(): HttpRequest
  judge(answer: ProbeAnswer): ProbeResult
  /** How much of an answer's body is kept. */
  readonly bodyBytes: number
  readonly reuseConnection: boolean
  connect(onGone: (session: ClientSession) => void): Promise<ClientSession>
}

/** A check by one request and its answer, over a connection of its own: HTTP and gRPC alike. */
export function createExchangeProbe(options: ExchangeProbeOptions): Probe {
  let session: ClientSession | undefined
  let exchange: ClientExchange | undefined
  let pending: ((result: ProbeResult) => void) | undefined
  let run = 0

  const drop = (): void => {
    const old = session
    session = undefined
    exchange = undefined
    old?.destroy()
  }
  const settle = (result: ProbeResult, keep: boolean): void => {
    const done = pending
    pending = undefined
    exchange = undefined
    if (!keep) drop()
    done?.(result)
  }
  const answered = (answer: ProbeAnswer): void => {
    const closes = answer.headers.get('connection')?.toLowerCase().includes('close') === true
    settle(options.judge(answer), options.reuseConnection && !closes)
  }
  const send = (own: ClientSession, mine: number): void => {
    const current = (): boolean => mine === run && pending !== undefined
    exchange = own.send(options.request(), {
      onFree() {},
      onEnd() {},
      onResponse({ status, headers, body }) {
        const chunks: Uint8Array[] = []
        let kept = 0
        body.consume({
          data(chunk) {
            if (kept < options.bodyBytes) chunks.push(Buffer.from(chunk.subarray(0, options.bodyBytes - kept)))
            kept += chunk.length
            return true
          },
          end(trailers) {
            if (current()) answered({ status, headers, trailers, body: Buffer.concat(chunks) })
          },
          abort() {
            if (current()) settle(failed('NETWORK'), false)
          },
        })
      },
      onReset() {
        if (current()) settle(failed('NETWORK'), false)
      },
    })
  }
  const stop = (): void => {
    pending = undefined
    run++
    exchange?.cancel()
    drop()
  }
  return {
    run(done) {
      pending = done
      const mine = ++run
      if (session?.available === true) return send(session, mine)
      drop()
      const gone = (own: ClientSession): void => {
        if (session === own) session = undefined
      }
      options.connect(gone).then(
        (own) => {
          if (mine !== run || pending === undefined) return own.destroy()
          session = own
          send(own, mine)
        },
        () => {
          if (mine === run && pending !== undefined) settle(failed('NETWORK'), false)
        },
      )
    },
    cancel: stop,
    close: stop,
  }
}
