/** The first place where two JSON values differ: `path: want …, got …`. Maps have no order, lists have; an absent field is not `null`. */
export function firstDifference(want: unknown, got: unknown, path = ''): string | undefined {
  if (Object.is(want, got)) return undefined
  if (Array.isArray(want) && Array.isArray(got)) {
    for (let i = 0; i < Math.max(want.length, got.length); i++) {
      const found = firstDifference(want[i], got[i], `${path}[${i}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (isMap(want) && isMap(got)) {
    for (const key of new Set([...Object.keys(want), ...Object.keys(got)])) {
      const found = firstDifference(want[key], got[key], path === '' ? key : `${path}.${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return `${path === '' ? '' : `${path}: `}want ${short(want)}, got ${short(got)}`
}

export function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
