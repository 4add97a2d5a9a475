/** Lines around a change that are shown with it. */
const CONTEXT = 3
/** More changes than these are told as a whole: nobody reads them one by one, and finding the fewest takes their square in time. */
const MOST_CHANGES = 1000

type Step = readonly [mark: ' ' | '-' | '+', line: string]

/** What turns `before` into `after`, as `diff -u` prints its hunks; '' when they are equal. Myers, "An O(ND) difference algorithm", 1986. */
export function lineDiff(before: readonly string[], after: readonly string[]): string {
  const steps = script(before, after)
  const shown = new Set<number>()
  for (const [i, [mark]] of steps.entries())
    if (mark !== ' ') for (let near = Math.max(0, i - CONTEXT); near <= i + CONTEXT; near++) shown.add(near)
  const lines: string[] = []
  const at = { '-': 0, '+': 0 }
  for (const [i, [mark, line]] of steps.entries()) {
    if (mark !== '+') at['-']++
    if (mark !== '-') at['+']++
    if (!shown.has(i)) continue
    if (!shown.has(i - 1)) lines.push(`@@ -${Math.max(at['-'], 1)} +${Math.max(at['+'], 1)} @@`)
    lines.push(`${mark}${line}`)
  }
  return lines.map((line) => `${line}\n`).join('')
}

function script(before: readonly string[], after: readonly string[]): Step[] {
  const depths = furthest(before, after)
  if (depths === undefined) return [...before.map((line): Step => ['-', line]), ...after.map((line): Step => ['+', line])]
  const steps: Step[] = []
  let [x, y] = [before.length, after.length]
  for (let d = depths.length - 1; d >= 0; d--) {
    const ends = depths[d]!
    const k = x - y
    const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1))
    const fromX = d === 0 ? 0 : (ends.get(down ? k + 1 : k - 1) ?? 0)
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
    while (x > fromX && y > fromY) {
      steps.push([' ', before[--x] ?? ''])
      y--
    }
    if (d > 0) steps.push(down ? ['+', after[--y] ?? ''] : ['-', before[--x] ?? ''])
  }
  return steps.reverse()
}

/** For each number of changes how far each diagonal reached with one change fewer; undefined: too many changes. */
function furthest(before: readonly string[], after: readonly string[]): ReadonlyMap<number, number>[] | undefined {
  const ends = new Map<number, number>([[1, 0]])
  const depths: ReadonlyMap<number, number>[] = []
  for (let d = 0; d <= MOST_CHANGES; d++) {
    depths.push(new Map(ends))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1))
      let x = down ? (ends.get(k + 1) ?? 0) : (ends.get(k - 1) ?? 0) + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++
      ends.set(k, x)
      if (x >= before.length && x - k >= after.length) return depths
    }
  }
  return undefined
}
