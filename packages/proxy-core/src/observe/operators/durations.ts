import { fail, ok, problem } from '@heddle/runtime'
import type { StreamInfo } from '../../http/stream-info.js'
import type { ConnectionTimes } from '../../net/connection.js'
import type { LogValue, MakeOperator, Operator, PlainOperators } from './operator.js'

/** On the clock of {@link StreamInfo}; undefined: it was never reached. */
export type TimePoint = (info: StreamInfo) => number | undefined

const requestEnd: TimePoint = (info) => info.requestEnd ?? (info.bytesReceived === 0 ? info.start : undefined)
/** The last of a body leaves as it comes; a body that came early leaves with its head. */
const upstreamSent: TimePoint = (info) =>
  info.upstreamStart === undefined || info.requestEnd === undefined ? undefined : Math.max(info.upstreamStart, info.requestEnd)

/** Of a connection that was made for an earlier request, too: it began before this one did. */
const upstreamTimes = ({ upstreamConnection }: StreamInfo): ConnectionTimes | undefined => upstreamConnection?.times
const isTcp = (info: StreamInfo): boolean => info.protocol === ''

/** Of COMMON_DURATION, under Envoy's names. */
export const TIME_POINTS: {
  readonly [name in
    | 'DS_RX_BEG'
    | 'DS_RX_END'
    | 'US_TX_BEG'
    | 'US_TX_END'
    | 'US_RX_BEG'
    | 'US_RX_END'
    | 'DS_TX_BEG'
    | 'DS_TX_END'
    | 'DS_CX_BEG'
    | 'DS_CX_END'
    | 'US_CX_BEG'
    | 'US_CX_END'
    | 'US_HS_END']: TimePoint
} = {
  DS_RX_BEG: (info) => info.start,
  DS_RX_END: requestEnd,
  US_TX_BEG: (info) => info.upstreamStart,
  US_TX_END: upstreamSent,
  US_RX_BEG: (info) => info.upstreamFirstByte,
  US_RX_END: (info) => info.upstreamEnd,
  DS_TX_BEG: (info) => info.upstreamFirstByte ?? info.end,
  DS_TX_END: (info) => info.end,
  DS_CX_BEG: (info) => info.downstreamTimes?.began,
  // A request is over before its connection is.
  DS_CX_END: (info) => (isTcp(info) ? info.end : undefined),
  US_CX_BEG: (info) => upstreamTimes(info)?.began,
  US_CX_END: (info) => upstreamTimes(info)?.connected,
  US_HS_END: (info) => upstreamTimes(info)?.secured,
}
const timePoint = (name: string): TimePoint | undefined =>
  Object.hasOwn(TIME_POINTS, name) ? TIME_POINTS[name as keyof typeof TIME_POINTS] : undefined

const PER_MS: Readonly<Record<string, number>> = { ms: 1, us: 1_000, ns: 1_000_000 }

const between = (info: StreamInfo, from: TimePoint, to: TimePoint, perMs: number): number | undefined => {
  const [start, end] = [from(info), to(info)]
  return start === undefined || end === undefined ? undefined : Math.floor((end - start) * perMs)
}
/** An end that came before its beginning tells nothing. */
const notBefore = (duration: number | undefined): LogValue => (duration !== undefined && duration < 0 ? undefined : duration)
const sinceStart =
  (to: TimePoint): Operator =>
  ({ info }) =>
    between(info, (of) => of.start, to, 1)

export const durationOperators: PlainOperators = {
  DURATION: ({ info }) => (info.end === undefined ? undefined : Math.floor(info.end - info.start)),
  REQUEST_DURATION: sinceStart(requestEnd),
  REQUEST_TX_DURATION: sinceStart(upstreamSent),
  RESPONSE_DURATION: sinceStart((info) => info.upstreamFirstByte),
  RESPONSE_TX_DURATION: ({ info }) =>
    between(
      info,
      (of) => of.upstreamFirstByte,
      (of) => of.end,
      1,
    ),
  // Counted from the request, which the handshake came before: 0 or less.
  DOWNSTREAM_HANDSHAKE_DURATION: ({ info }) => {
    const secured = info.downstreamTimes?.secured
    return secured === undefined || isTcp(info) ? undefined : Math.ceil(secured - info.start)
  },
  UPSTREAM_CONNECTION_POOL_READY_DURATION: ({ info }) => {
    const times = info.upstreamConnection?.times
    if (isTcp(info)) return times && Math.floor((times.secured ?? times.connected) - times.began)
    return between(
      info,
      (of) => of.attemptStart,
      (of) => of.upstreamStart,
      1,
    )
  },
  // Of QUIC, which does not come here.
  ROUNDTRIP_DURATION: () => undefined,
}

export const commonDuration: MakeOperator = (args, path) => {
  const [start = '', end = '', precision = '', ...rest] = args.split(':')
  const [from, to] = [timePoint(start), timePoint(end)]
  const perMs = Object.hasOwn(PER_MS, precision) ? PER_MS[precision] : undefined
  if (from !== undefined && to !== undefined && perMs !== undefined && rest.length === 0)
    return ok(({ info }) => notBefore(between(info, from, to, perMs)))
  const points = Object.keys(TIME_POINTS).join(', ')
  return fail(
    problem(
      'log.format',
      path,
      `%COMMON_DURATION(${args})%: write (START:END:PRECISION); the times are ${points}, the precision is ms, us or ns.`,
    ),
  )
}
