import type { Timer } from '../net/timers.js'
import type { RouteDecision } from '../route/decision.js'
import { limitedGrpcTimeout } from '../router/timeouts.js'
import type { ServerExchange } from './codec.js'
import type { ManagerRuntime } from './manager.js'
import type { LocalReply } from './message.js'

const DEADLINE_EXCEEDED = 4

interface TimedStream {
  answered(): boolean
  timedOut(reply: LocalReply): void
}

/** Starts what limits a request: stream_idle_timeout, request_timeout, max_stream_duration; the route's before the manager's. */
export function armStreamTimers(
  exchange: ServerExchange,
  route: RouteDecision | undefined,
  { manager: { timeouts }, timers: wheel }: ManagerRuntime,
  stream: TimedStream,
): readonly Timer[] {
  const action = route?.kind === 'forward' && route.route.action.kind === 'forward' ? route.route.action : undefined
  const timers: Timer[] = []
  const arm = (ms: number, run: () => void): Timer => {
    const timer = wheel.timer(run)
    timer.start(ms)
    timers.push(timer)
    return timer
  }
  const idleMs = action?.idleTimeoutMs ?? timeouts.streamIdle
  if (idleMs > 0) {
    // Looks back when it fires, so that a byte in flight costs nothing.
    let seen = -1
    const idle = arm(idleMs, () => {
      const now = exchange.bytesReceived + exchange.bytesSent + (stream.answered() ? 1 : 0)
      if (now === seen || (seen < 0 && now === 0))
        stream.timedOut({ status: 504, body: 'stream timeout', details: 'stream_idle_timeout', flag: 'SI' })
      else {
        seen = now
        idle.start(idleMs)
      }
    })
  }
  if (timeouts.request > 0)
    arm(timeouts.request, () => {
      if (!exchange.requestComplete) stream.timedOut({ status: 408, body: 'request timeout', details: 'request_overall_timeout' })
    })
  const { headers } = exchange.request
  const grpcMs = limitedGrpcTimeout(headers, action?.grpcTimeoutHeaderMax)
  if (grpcMs !== undefined && grpcMs > 0) headers.set('grpc-timeout', `${grpcMs}m`)
  const longestMs = grpcMs ?? action?.maxStreamDurationMs ?? timeouts.maxStreamDuration
  if (longestMs > 0)
    arm(longestMs, () =>
      stream.timedOut({
        status: 504,
        body: 'downstream duration timeout',
        details: 'max_duration_timeout',
        grpcStatus: DEADLINE_EXCEEDED,
      }),
    )
  return timers
}
