/**
 * Times in access logs: the subset of strftime that Envoy's DateFormatter knows, in UTC or the machine's time zone, with its
 * sub-second extensions `%f`, `%3f` … `%9f`, `%E3S`, `%E*S`. Anything else stays as it was written.
 */
export function compileTimeFormat(format: string, local = false): (epochMs: number) => string {
  const write = local ? localTime(format) : universalTime(format)
  // Many requests begin in one millisecond.
  let last: number | undefined
  let text = ''
  return (ms) => {
    if (ms !== last) {
      text = write(ms)
      last = ms
    }
    return text
  }
}

function universalTime(format: string): (epochMs: number) => string {
  if (format === '') return (ms) => new Date(ms).toISOString()
  const parts: (string | Part)[] = []
  let from = 0
  for (const match of format.matchAll(/%(E\*S|E\dS|\df|[a-zA-Z%])/g)) {
    const part = partOf(match[1] ?? '')
    if (part === undefined) continue
    if (match.index > from) parts.push(format.slice(from, match.index))
    parts.push(part)
    from = match.index + match[0].length
  }
  if (from < format.length) parts.push(format.slice(from))
  return (ms) => {
    const date = new Date(ms)
    return parts.map((part) => (typeof part === 'string' ? part : part(date))).join('')
  }
}

/** What a clock on the wall says, written as if it were UTC; only `%s` and `%z` know better. */
function localTime(format: string): (epochMs: number) => string {
  return (ms) => {
    const minutes = -new Date(ms).getTimezoneOffset()
    const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
    const own = (format === '' ? '%Y-%m-%dT%H:%M:%E3S%z' : format)
      .replace(/(?<!%)((?:%%)*)%z/g, `$1${zone}`)
      .replace(/(?<!%)((?:%%)*)%s/g, `$1${Math.floor(ms / 1000)}`)
    return universalTime(own)(ms + minutes * 60_000)
  }
}

type Part = (date: Date) => string

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const two = (value: number): string => String(value).padStart(2, '0')
const epochSeconds: Part = (date) => String(Math.floor(date.getTime() / 1000))
const seconds: Part = (date) => two(date.getUTCSeconds())
const time: Part = (date) => date.toISOString().slice(11, 19)
const day: Part = (date) => date.toISOString().slice(0, 10)
/** Milliseconds are all there is: further digits are zeros. */
const fraction =
  (digits: number): Part =>
  (date) =>
    String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(9, '0').slice(0, digits)

const PARTS: Readonly<Record<string, Part>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => two(date.getUTCFullYear() % 100),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2, ' '),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(date.getUTCHours() % 12 || 12),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: (date) => two(date.getUTCMinutes()),
  S: seconds,
  s: epochSeconds,
  T: time,
  F: day,
  R: (date) => date.toISOString().slice(11, 16),
  a: (date) => (DAYS[date.getUTCDay()] ?? '').slice(0, 3),
  A: (date) => DAYS[date.getUTCDay()] ?? '',
  b: (date) => (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3),
  B: (date) => MONTHS[date.getUTCMonth()] ?? '',
  z: () => '+0000',
  Z: () => 'UTC',
  f: fraction(9),
  '%': () => '%',
}

function partOf(spec: string): Part | undefined {
  const digits = /^E?(\d)[fS]$/.exec(spec)?.[1]
  if (digits !== undefined) {
    const rest = fraction(Number(digits))
    if (spec.endsWith('f')) return rest
    return digits === '0' ? seconds : (date) => `${seconds(date)}.${rest(date)}`
  }
  if (spec === 'E*S') return (date) => `${seconds(date)}.${fraction(3)(date)}`
  return Object.hasOwn(PARTS, spec) ? PARTS[spec] : undefined
}
