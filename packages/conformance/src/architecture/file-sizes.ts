import { SIZES } from './rules.js'
import type { SourceFile } from './sources.js'

export interface FileSizes {
  readonly median: number
  readonly p90: number
  /** More lines than SIZES.long, the longest first. */
  readonly long: readonly { readonly path: string; readonly lines: number }[]
}

export function fileSizes(files: readonly SourceFile[]): FileSizes {
  const sizes = files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .sort((a, b) => b.lines - a.lines)
  const at = (share: number): number => sizes[Math.floor((sizes.length - 1) * (1 - share))]?.lines ?? 0
  return { median: at(0.5), p90: at(0.9), long: sizes.filter(({ lines }) => lines > SIZES.long) }
}

export function sizeFaults({ median, p90, long }: FileSizes): readonly string[] {
  return [
    ...(median > SIZES.median
      ? [`packages: half of the files have more than ${median} lines, ${SIZES.median} is the budget`]
      : []),
    ...(p90 > SIZES.p90 ? [`packages: a tenth of the files have more than ${p90} lines, ${SIZES.p90} is the budget`] : []),
    ...long
      .filter(({ lines }) => lines > SIZES.most)
      .map(({ path, lines }) => `${path}: ${lines} lines, ${SIZES.most} is the most: a file is one idea`),
  ]
}

export function formatSizes({ median, p90, long }: FileSizes): string {
  const named = long.map(({ path, lines }) => `${path} (${lines})`).join(', ')
  return `lines of a file: median ${median}, p90 ${p90}, over ${SIZES.long}: ${named === '' ? 'none' : named}`
}
