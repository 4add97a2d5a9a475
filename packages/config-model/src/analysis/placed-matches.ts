/** A match with its place; of a rule without matches, one that asks for nothing. */
export interface PlacedMatch<M> {
  readonly match: M
  readonly rule: number
  readonly path: string
  /** What messages call it. */
  readonly title: string
  /** It may leave requests to later rules: those that its delegate does not take. */
  readonly delegates: boolean
}

interface Rule<M> {
  readonly name?: string
  readonly match?: readonly M[]
  readonly delegate?: unknown
}

/** The matches of rules, in the order in which they are tried. `key`: the field of the rules, `http`. */
export function placedMatches<M extends object>(
  key: string,
  rules: readonly Rule<M>[] = [],
): PlacedMatch<M | Record<string, never>>[] {
  return rules.flatMap(({ name, match: matches = [], delegate }, rule) => {
    const called = name === undefined || name === '' ? '' : ` (${JSON.stringify(name)})`
    const whole = `spec.${key}[${rule}]`
    const delegates = delegate !== undefined
    if (matches.length === 0) return [{ match: {}, rule, path: whole, title: `${whole}${called}`, delegates }]
    return matches.map((match, m) => {
      const path = `${whole}.match[${m}]`
      return { match, rule, path, title: `${path}${called}`, delegates }
    })
  })
}
