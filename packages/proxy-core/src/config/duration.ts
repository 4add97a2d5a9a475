// google.protobuf.Duration in JSON: seconds with up to nine decimals and the suffix "s".
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/

/** Milliseconds, with a fraction where there is one; undefined when it is no duration. */
export function parseDuration(value: unknown): number | undefined {
  const found = typeof value === 'string' ? DURATION.exec(value) : null
  if (found === null) return undefined
  const [, sign, seconds, fraction = ''] = found
  const ms = Number(seconds) * 1000 + Number(fraction.padEnd(9, '0')) / 1e6
  return sign === '-' ? -ms : ms
}
