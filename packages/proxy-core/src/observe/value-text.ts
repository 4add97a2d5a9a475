/** A value of metadata as text: JSON with sorted keys, as protobuf's maps have them, and numbers as {@link numberText} writes them. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') return numberText(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${valueText(item)}`)
  return `{${members.join(',')}}`
}

// Nothing shorter than their digits can be said of whole numbers below this.
const ALWAYS_DIGITS = 100_000

/** A double as protobuf writes it: in digits or with an exponent, whichever is shorter: `123456`, but `1e+05`. */
export function numberText(value: number): string {
  const magnitude = Math.abs(value)
  if (!Number.isFinite(value) || (magnitude < ALWAYS_DIGITS && Number.isInteger(value))) return String(value)
  const [digits, exponent = ''] = value.toExponential().split('e')
  const scientific = `${digits}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`
  // Beyond the safe ones JavaScript ends whole numbers with zeros, which are none.
  const plain = magnitude > Number.MAX_SAFE_INTEGER ? String(BigInt(value)) : String(value)
  return scientific.length < plain.length ? scientific : plain
}
