/**
 * Times in access logs: strftime as Envoy's DateFormatter knows it, in UTC or the machine's time zone, with its extensions `%f`,
 * `%3f` … `%9f`, `%E3S`, `%E*S`, `%E4Y`, `%Ez` and `%ET`. Anything else stays as it was written.
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
  for (const match of format.matchAll(/%(E\*[Sf]|E\d[Sf]|E4Y|E[zT]|\df|[a-zA-Z%])/g)) {
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
      .replace(/(?<!%)((?:%%)*)%Ez/g, `$1${zone.slice(0, 3)}:${zone.slice(3)}`)
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
const spaced = (value: number): string => String(value).padStart(2, ' ')
const weekday = (date: Date): string => (DAYS[date.getUTCDay()] ?? '').slice(0, 3)
const month = (date: Date): string => (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3)
const hourOfHalf = (date: Date): number => date.getUTCHours() % 12 || 12
const half = (date: Date): string => (date.getUTCHours() < 12 ? 'AM' : 'PM')
const american: Part = (date) => `${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}/${two(date.getUTCFullYear() % 100)}`

const DAY_MS = 86_400_000
/** The first of January is 0. */
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / DAY_MS)
/** Monday is 0. */
const fromMonday = (date: Date): number => (date.getUTCDay() + 6) % 7
/** A week of ISO 8601 belongs to the year of its Thursday. */
const thursday = (date: Date): Date => new Date(date.getTime() + (3 - fromMonday(date)) * DAY_MS)
const isoYear = (date: Date): number => thursday(date).getUTCFullYear()
/** Milliseconds are all there is: further digits are zeros. */
const fraction =
  (digits: number): Part =>
  (date) =>
    String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(9, '0').slice(0, digits)
/** As many digits as say something. */
const wholeFraction: Part = (date) => fraction(3)(date).replace(/0+$/, '')

const PARTS: Readonly<Record<string, Part>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => two(date.getUTCFullYear() % 100),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  e: (date) => spaced(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(hourOfHalf(date)),
  k: (date) => spaced(date.getUTCHours()),
  l: (date) => spaced(hourOfHalf(date)),
  p: half,
  P: (date) => half(date).toLowerCase(),
  M: (date) => two(date.getUTCMinutes()),
  S: seconds,
  s: epochSeconds,
  T: time,
  F: day,
  R: (date) => date.toISOString().slice(11, 16),
  r: (date) => `${two(hourOfHalf(date))}:${time(date).slice(3)} ${half(date)}`,
  X: time,
  D: american,
  x: american,
  c: (date) => `${weekday(date)} ${month(date)} ${spaced(date.getUTCDate())} ${time(date)} ${date.getUTCFullYear()}`,
  C: (date) => two(Math.floor(date.getUTCFullYear() / 100)),
  j: (date) => String(dayOfYear(date) + 1).padStart(3, '0'),
  u: (date) => String(fromMonday(date) + 1),
  w: (date) => String(date.getUTCDay()),
  U: (date) => two(Math.floor((dayOfYear(date) + 7 - date.getUTCDay()) / 7)),
  W: (date) => two(Math.floor((dayOfYear(date) + 7 - fromMonday(date)) / 7)),
  V: (date) => two(Math.floor(dayOfYear(thursday(date)) / 7) + 1),
  G: (date) => String(isoYear(date)),
  g: (date) => two(isoYear(date) % 100),
  n: () => '\n',
  t: () => '\t',
  a: weekday,
  A: (date) => DAYS[date.getUTCDay()] ?? '',
  b: month,
  h: month,
  B: (date) => MONTHS[date.getUTCMonth()] ?? '',
  z: () => '+0000',
  Ez: () => '+00:00',
  ET: () => 'T',
  E4Y: (date) => String(date.getUTCFullYear()).padStart(4, '0'),
  Z: () => 'UTC',
  f: fraction(9),
  'E*f': (date) => wholeFraction(date) || '0',
  'E*S': (date) => {
    const rest = wholeFraction(date)
    return rest === '' ? seconds(date) : `${seconds(date)}.${rest}`
  },
  '%': () => '%',
}

function partOf(spec: string): Part | undefined {
  const digits = /^E?(\d)[fS]$/.exec(spec)?.[1]
  if (digits !== undefined) {
    const rest = fraction(Number(digits))
    if (spec.endsWith('f')) return rest
    return digits === '0' ? seconds : (date) => `${seconds(date)}.${rest(date)}`
  }
  return Object.hasOwn(PARTS, spec) ? PARTS[spec] : undefined
}
