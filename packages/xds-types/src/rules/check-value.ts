import { fromBase64 } from '../wire/base64.js'
import { parseDuration } from '../wkt/time.js'

/** The rules of one kind, as in the .proto: `{ min_len: 1 }`. */
export type Rules = Readonly<Record<string, unknown>>

// protoc-gen-validate, WellKnownRegex. A character class alone: no input makes it slow.
const HEADER_NAME = /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/

/** NUL, CR and LF for everyone; strictly all control characters but the tab. */
function hasControl(value: string, strict: boolean): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0 || code === 10 || code === 13 || (strict && ((code < 32 && code !== 9) || code === 127))) return true
  }
  return false
}

function isHeaderName(value: string, strict: boolean): boolean {
  return strict ? HEADER_NAME.test(value) : !hasControl(value, false)
}

/** What is wrong with a string, undefined when nothing is. */
export function checkString(value: string, rules: Rules): string | undefined {
  if (value === '' && rules['ignore_empty'] === true) return undefined
  return (
    checkLength(charactersOf(value), rules, 'characters') ??
    (numberOf(rules['max_bytes']) < bytesOf(value) ? `value length must be at most ${rules['max_bytes']} bytes` : undefined) ??
    checkList(value, rules) ??
    (typeof rules['prefix'] === 'string' && !value.startsWith(rules['prefix'])
      ? `value does not have prefix '${rules['prefix']}'`
      : undefined) ??
    (typeof rules['suffix'] === 'string' && !value.endsWith(rules['suffix'])
      ? `value does not have suffix '${rules['suffix']}'`
      : undefined) ??
    checkPattern(value, rules)
  )
}

/** Code points: of two surrogates one counts. */
function charactersOf(value: string): number {
  let characters = value.length
  for (let i = 1; i < value.length; i++)
    if ((value.charCodeAt(i) & 0xfc00) === 0xdc00 && (value.charCodeAt(i - 1) & 0xfc00) === 0xd800) characters--
  return characters
}

/** In UTF-8. */
function bytesOf(value: string): number {
  let bytes = value.length
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    // Two surrogates are four bytes, any other of the upper ones three.
    if (code >= 0x80) bytes += code >= 0x800 && (code & 0xf800) !== 0xd800 ? 2 : 1
  }
  return bytes
}

function checkPattern(value: string, rules: Rules): string | undefined {
  const { pattern, well_known_regex: known } = rules
  const strict = rules['strict'] !== false
  // Patterns are the API's own, never a user's.
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) return `value does not match the pattern ${pattern}`
  if (known === 'HTTP_HEADER_NAME') return isHeaderName(value, strict) ? undefined : 'value is not a header name'
  return known === 'HTTP_HEADER_VALUE' && hasControl(value, strict) ? 'value is not a header value' : undefined
}

export function checkBytes(value: unknown, rules: Rules): string | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : (value as Uint8Array)
  return checkLength(bytes?.length ?? 0, rules, 'bytes')
}

/** `unit`: characters, bytes, item(s), pairs. */
function checkLength(length: number, rules: Rules, unit: string): string | undefined {
  if (rules['len'] !== undefined && length !== numberOf(rules['len'])) return `value length must be ${rules['len']} ${unit}`
  if (numberOf(rules['min_len']) > length) return `value length must be at least ${rules['min_len']} ${unit}`
  return numberOf(rules['max_len']) < length ? `value length must be at most ${rules['max_len']} ${unit}` : undefined
}

function checkList(value: unknown, rules: Rules): string | undefined {
  const { const: constant, in: allowed, not_in: refused } = rules
  if (constant !== undefined && value !== listOf(constant)[0]) return `value must equal ${constant}`
  if (allowed !== undefined && !listOf(allowed).includes(value)) return `value must be in list [${listOf(allowed).join(' ')}]`
  return refused !== undefined && listOf(refused).includes(value)
    ? `value must not be in list [${listOf(refused).join(' ')}]`
    : undefined
}

/** Numbers of all kinds; 64-bit ones come as text. */
export function checkNumber(value: number | string, rules: Rules): string | undefined {
  if (Number(value) === 0 && rules['ignore_empty'] === true) return undefined
  return checkList(Number(value), rules) ?? checkRange(Number(value), rules, numberOf, String)
}

export function checkBool(value: boolean, rules: Rules): string | undefined {
  return checkList(value, rules)
}

/** @param nameOf undefined for a number that the API does not define. */
export function checkEnum(number: number, nameOf: (number: number) => string | undefined, rules: Rules): string | undefined {
  if (rules['defined_only'] === true && nameOf(number) === undefined) return 'value must be one of the defined enum values'
  const names = (rule: unknown): unknown => (rule === undefined ? rule : listOf(rule).map((item) => nameOf(Number(item)) ?? item))
  return checkList(nameOf(number) ?? number, {
    const: names(rules['const']),
    in: names(rules['in']),
    not_in: names(rules['not_in']),
  })
}

export function checkDuration(value: string, rules: Rules): string | undefined {
  const seconds = secondsOf(parseDuration(value))
  return checkRange(seconds, rules, secondsOf, printDuration)
}

function checkRange(
  value: number,
  rules: Rules,
  bound: (rule: unknown) => number,
  print: (bound: number) => string,
): string | undefined {
  const { gt, gte, lt, lte } = rules
  const low = bound(gte ?? gt)
  const high = bound(lte ?? lt)
  const lowFails = gte !== undefined ? value < low : gt !== undefined && value <= low
  const highFails = lte !== undefined ? value > high : lt !== undefined && value >= high
  // A low bound above the high one means: outside of the two (protoc-gen-validate, numeric rules).
  if (low > high ? !(lowFails && highFails) : !lowFails && !highFails) return undefined
  const open = gte === undefined ? '(' : '['
  const close = lte === undefined ? ')' : ']'
  if (low > high)
    return `value must be outside range ${close === ']' ? '(' : '['}${print(high)}, ${print(low)}${open === '[' ? ')' : ']'}`
  if (!Number.isNaN(low) && !Number.isNaN(high)) return `value must be inside range ${open}${print(low)}, ${print(high)}${close}`
  if (lowFails)
    return gte !== undefined ? `value must be greater than or equal to ${print(low)}` : `value must be greater than ${print(low)}`
  return lte !== undefined ? `value must be less than or equal to ${print(high)}` : `value must be less than ${print(high)}`
}

/** As Envoy prints it: `5m`, `1m30s`, `1ms`. */
function printDuration(seconds: number): string {
  if (seconds > 0 && seconds < 1)
    return seconds < 0.001 ? `${Math.round(seconds * 1e9) / 1e3}us` : `${Math.round(seconds * 1e6) / 1e3}ms`
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const text = `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`
  return text === '' ? '0s' : text
}

export function checkCount(count: number, rules: Rules): string | undefined {
  if (numberOf(rules['min_items']) > count) return `value must contain at least ${rules['min_items']} item(s)`
  if (numberOf(rules['max_items']) < count) return `value must contain no more than ${rules['max_items']} item(s)`
  if (numberOf(rules['min_pairs']) > count) return `value must contain at least ${rules['min_pairs']} pair(s)`
  return numberOf(rules['max_pairs']) < count ? `value must contain no more than ${rules['max_pairs']} pair(s)` : undefined
}

/** NaN for a rule that is not there: every comparison with it is false. */
function numberOf(rule: unknown): number {
  return rule === undefined ? Number.NaN : Number(rule)
}

/** A duration in a rule is a message of its own: `{ nanos: 1000000 }`, `{}` for zero. */
function secondsOf(rule: unknown): number {
  if (rule === undefined) return Number.NaN
  const { seconds = 0, nanos = 0 } = rule as { seconds?: number; nanos?: number }
  return Number(seconds) + Number(nanos) / 1e9
}

const listOf = (rule: unknown): readonly unknown[] => (Array.isArray(rule) ? rule : [rule])
