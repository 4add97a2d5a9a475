import { fail, ok, problem } from '@heddle/runtime'
import type { StreamInfo } from '../../http/stream-info.js'
import type { LogValue, MakeOperator, Operator, PlainOperators } from './operator.js'

/** On the clock of {@link StreamInfo}; undefined: it was never reached. */
export type TimePoint = (info: StreamInfo) => number | undefined

const requestEnd: TimePoint = (info) => info.requestEnd ?? (info.bytesReceived === 0 ? info.start : undefined)
/** The last of a body leaves as it comes; a body that came early leaves with its head. */
const upstreamSent: TimePoint = (info) =>
  info.upstreamStart === undefined || info.requestEnd === undefined ? undefined : Math.max(info.upstreamStart, info.requestEnd)

/** Of COMMON_DURATION, under Envoy's names. Of a connection's own times (US_CX_BEG ...) nothing is kept. */
export const TIME_POINTS: {
  readonly [name in
    | 'DS_RX_BEG'
    | 'DS_RX_END'
    | 'US_TX_BEG'
    | 'US_TX_END'
    | 'US_RX_BEG'
    | 'US_RX_END'
    | 'DS_TX_BEG'
    | 'DS_TX_END']: TimePoint
} = {
  DS_RX_BEG: (info) => info.start,
  DS_RX_END: requestEnd,
  US_TX_BEG: (info) => info.upstreamStart,
  US_TX_END: upstreamSent,
  US_RX_BEG: (info) => info.upstreamFirstByte,
  US_RX_END: (info) => info.upstreamEnd,
  DS_TX_BEG: (info) => info.upstreamFirstByte ?? info.end,
  DS_TX_END: (info) => info.end,
}
const timePoint = (name: string): TimePoint | undefined =>
  Object.hasOwn(TIME_POINTS, name) ? TIME_POINTS[name as keyof typeof TIME_POINTS] : undefined

const PER_MS: Readonly<Record<string, number>> = { ms: 1, us: 1_000, ns: 1_000_000 }

const between = (info: StreamInfo, from: TimePoint, to: TimePoint, perMs: number): LogValue => {
  const [start, end] = [from(info), to(info)]
  return start === undefined || end === undefined ? undefined : Math.floor((end - start) * perMs)
}
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
  // Of QUIC, which does not come here.
  ROUNDTRIP_DURATION: () => undefined,
}

export const commonDuration: MakeOperator = (args, path) => {
  const [start = '', end = '', precision = '', ...rest] = args.split(':')
  const [from, to] = [timePoint(start), timePoint(end)]
  const perMs = Object.hasOwn(PER_MS, precision) ? PER_MS[precision] : undefined
  if (from !== undefined && to !== undefined && perMs !== undefined && rest.length === 0)
    return ok(({ info }) => between(info, from, to, perMs))
  const points = Object.keys(TIME_POINTS).join(', ')
  return fail(
    problem(
      'log.format',
      path,
      `%COMMON_DURATION(${args})%: write (START:END:PRECISION); the times are ${points}, the precision is ms, us or ns.`,
    ),
  )
}
