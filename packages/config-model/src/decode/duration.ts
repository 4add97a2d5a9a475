const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
}
const PART = /(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns)/y

/** A Go or proto duration (`1h30m`, `1.5s`, `-2s`, `0`) in milliseconds, precise to the nanosecond; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  let rest = text
  let sign = 1
  if (rest.startsWith('-') || rest.startsWith('+')) {
    if (rest.startsWith('-')) sign = -1
    rest = rest.slice(1)
  }
  if (rest === '0') return 0
  if (rest === '') return undefined
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < rest.length) {
    const part = PART.exec(rest)
    if (part === null) return undefined
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? Number.NaN)
  }
  // Sums such as 0.1s + 0.2s must not show binary dust.
  return (sign * Math.round(total * 1e6)) / 1e6 || 0
}

/** Milliseconds as a proto duration: `1.5s`. */
export function formatDuration(ms: number): string {
  const nanos = Math.round(Math.abs(ms) * 1e6)
  const seconds = Math.floor(nanos / 1e9)
  const fraction = nanos - seconds * 1e9
  const digits = fraction === 0 ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${ms < 0 && nanos > 0 ? '-' : ''}${seconds}${digits}s`
}
