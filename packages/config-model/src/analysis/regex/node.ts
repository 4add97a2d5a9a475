/** Code points from `[0]` to `[1]`, both included. */
export type Range = readonly [from: number, to: number]

/** A regular expression. A `concat` of nothing is the empty text, an `either` of nothing matches nothing. */
export type Node =
  | { readonly type: 'set'; readonly ranges: readonly Range[] }
  | { readonly type: 'concat'; readonly nodes: readonly Node[] }
  | { readonly type: 'either'; readonly nodes: readonly Node[] }
  | { readonly type: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

/** What headers and paths may be made of: no control characters, so that `.*` is everything. */
const FIRST = 0x20
const LAST = 0x10ffff

export const ANY: Node = { type: 'set', ranges: [[FIRST, LAST]] }

export const ANYTHING: Node = { type: 'repeat', node: ANY, min: 0, max: Number.POSITIVE_INFINITY }

/** `ignoreCase`: of ASCII letters, as Envoy compares. */
export function literal(text: string, ignoreCase = false): Node {
  const nodes = [...text].map((char): Node => {
    const forms = ignoreCase && /[a-zA-Z]/.test(char) ? [char.toLowerCase(), char.toUpperCase()] : [char]
    return { type: 'set', ranges: forms.map((form): Range => [form.codePointAt(0)!, form.codePointAt(0)!]) }
  })
  return { type: 'concat', nodes }
}

/** All that is in none of the ranges. */
export function complement(ranges: readonly Range[]): readonly Range[] {
  const rest: Range[] = []
  let next = FIRST
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > next) rest.push([next, from - 1])
    next = Math.max(next, to + 1)
  }
  if (next <= LAST) rest.push([next, LAST])
  return rest
}
