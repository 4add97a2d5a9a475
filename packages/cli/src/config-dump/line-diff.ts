import { structuredPatch } from 'diff'

/** More changes than these are told as a whole: nobody reads them one by one, and finding the fewest takes their square in time. */
const MOST_CHANGES = 1000

/** What turns `before` into `after`, as `diff -u` prints its hunks; '' when they are equal. */
export function lineDiff(before: readonly string[], after: readonly string[]): string {
  const options = { context: 3, maxEditLength: MOST_CHANGES }
  const patch = structuredPatch('', '', textOf(before), textOf(after), undefined, undefined, options)
  if (patch === undefined)
    return hunk(range(1, before.length), range(1, after.length), [...marked('-', before), ...marked('+', after)])
  return patch.hunks.map((one) => hunk(range(one.oldStart, one.oldLines), range(one.newStart, one.newLines), one.lines)).join('')
}

function hunk(old: string, now: string, lines: readonly string[]): string {
  return textOf([`@@ -${old} +${now} @@`, ...lines])
}

/** An empty one is named by the line before it. */
function range(start: number, count: number): string {
  return count === 0 ? `${start - 1},0` : count === 1 ? `${start}` : `${start},${count}`
}

function marked(mark: '-' | '+', lines: readonly string[]): string[] {
  return lines.map((line) => `${mark}${line}`)
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
