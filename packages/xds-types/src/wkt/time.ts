import { describe, noteJson } from '../context.js'
import { misfit } from '../misfit.js'
import type { WellKnownType } from '../types.js'
import type { Reader } from '../wire/reader.js'
import { readFields } from './simple.js'

interface Moment {
  readonly seconds: number
  readonly nanos: number
}

/** 10,000 years, as the JSON mapping of protobuf bounds it. */
const MAX_DURATION = 315_576_000_000
const FIRST_SECOND = -62_135_596_800
const LAST_SECOND = 253_402_300_799

/** `-1.5s` -> seconds -1, nanos -500,000,000; undefined when it is not a duration. */
export function parseDuration(text: unknown): Moment | undefined {
  const whole = wholeSeconds(text)
  if (whole >= 0) return { seconds: whole, nanos: 0 }
  const match = typeof text === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text) : null
  if (match === null) return undefined
  const sign = match[1] === '-' ? -1 : 1
  const seconds = Number(match[2])
  const nanos = Number((match[3] ?? '').padEnd(9, '0'))
  return seconds > MAX_DURATION ? undefined : { seconds: sign * seconds + 0, nanos: sign * nanos + 0 }
}

/** Of `15s` and the like, which nearly all are; -1 for everything else. */
function wholeSeconds(text: unknown): number {
  if (typeof text !== 'string' || text.length < 2 || text.length > 9 || text.charCodeAt(text.length - 1) !== 115) return -1
  let seconds = 0
  for (let i = 0; i < text.length - 1; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    seconds = seconds * 10 + digit
  }
  return seconds
}

export function formatDuration({ seconds, nanos }: Moment): string {
  return `${seconds < 0 || nanos < 0 ? '-' : ''}${Math.abs(seconds)}${fraction(nanos)}s`
}

function parseTimestamp(text: unknown): Moment | undefined {
  const match =
    typeof text === 'string' ? /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text) : null
  if (match === null) return undefined
  const seconds = Date.parse(`${match[1]}${match[3]}`) / 1000
  const nanos = Number((match[2] ?? '').padEnd(9, '0'))
  return seconds >= FIRST_SECOND && seconds <= LAST_SECOND ? { seconds, nanos } : undefined
}

function formatTimestamp({ seconds, nanos }: Moment): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`
}

/** None, or three, six or nine digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(Math.abs(nanos)).padStart(9, '0')
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`
}

function readMoment(reader: Reader): Moment {
  let seconds = 0
  let nanos = 0
  readFields(reader, (tag) => {
    if (tag === 8) seconds = Number(BigInt.asIntN(64, reader.varint64()))
    else if (tag === 16) nanos = reader.varint32() | 0
    else return false
    return true
  })
  return { seconds, nanos }
}

function momentType(
  name: string,
  example: string,
  parse: (text: unknown) => Moment | undefined,
  format: (moment: Moment) => string,
  isMoment: (moment: Moment) => boolean,
): WellKnownType {
  return {
    typeName: `google.protobuf.${name}`,
    write(writer, value) {
      const moment = parse(value)
      if (moment === undefined) misfit(`expected text like ${example}, got ${describe(value)}`)
      if (moment.nanos !== 0) {
        writer.int32(moment.nanos)
        writer.tag(2, 0)
      }
      if (moment.seconds !== 0) {
        if (moment.seconds > 0 && moment.seconds <= 0xffff_ffff) writer.varint32(moment.seconds)
        else writer.varint64(BigInt(moment.seconds))
        writer.tag(1, 0)
      }
    },
    read(reader) {
      const moment = readMoment(reader)
      if (!isMoment(moment)) misfit(`${moment.seconds} s ${moment.nanos} ns is not a ${name}`)
      return format(moment)
    },
    fromJson(json, path, place) {
      const moment = parse(json)
      return moment === undefined
        ? noteJson(place, 'wrong_type', path, `expected text like ${example}, got ${describe(json)}`)
        : format(moment)
    },
    toJson: (value) => value,
  }
}

export const Duration: WellKnownType = /*#__PURE__*/ momentType(
  'Duration',
  "'1.5s'",
  parseDuration,
  formatDuration,
  ({ seconds, nanos }) =>
    Math.abs(seconds) <= MAX_DURATION && Math.abs(nanos) < 1e9 && !(seconds > 0 && nanos < 0) && !(seconds < 0 && nanos > 0),
)

export const Timestamp: WellKnownType = /*#__PURE__*/ momentType(
  'Timestamp',
  "'2026-01-02T03:04:05Z'",
  parseTimestamp,
  formatTimestamp,
  ({ seconds, nanos }) => seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanos >= 0 && nanos < 1e9,
)
