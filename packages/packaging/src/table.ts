import type { Cell } from './checks/check.js'

/** The order of the columns; a check that no cell has is left out. */
const COLUMNS = [
  'packed KB',
  'contents',
  'readme',
  'import',
  'require',
  'types',
  'types cjs',
  'exports',
  'publint',
  'attw',
  'command',
  'import ms',
  'RSS MB',
]

function rows(cells: readonly Cell[]): readonly (readonly string[])[] {
  const columns = COLUMNS.filter((column) => cells.some(({ check }) => check === column))
  const rowOf = (cell: Cell): string => (cell.node === undefined ? cell.package : `${cell.package} on Node ${cell.node}`)
  const names = [...new Set(cells.map(rowOf))]
  return [
    ['package', ...columns],
    ...names.map((name) => [
      name,
      ...columns.map((column) => {
        const cell = cells.find((one) => rowOf(one) === name && one.check === column)
        return cell === undefined ? '-' : cell.ok ? (cell.shows ?? 'ok') : 'FAIL'
      }),
    ]),
  ]
}

/** Package by check, columns aligned. */
export function formatTable(cells: readonly Cell[]): string {
  const table = rows(cells)
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map(
      (row) =>
        `${row
          .map((text, i) => text.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function formatMarkdown(cells: readonly Cell[]): string {
  const [head = [], ...body] = rows(cells)
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + body.map(line).join('')
}

/** Sizes and times are shown, and judged by nobody. */
const MEASURES = ['packed KB', 'import ms', 'RSS MB']

export function passedCells(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter(({ ok, check }) => ok && !MEASURES.includes(check))
}

/** What failed and why, a line each, then `N passed, N failed`. */
export function formatVerdict(cells: readonly Cell[]): string {
  const failed = cells.filter(({ ok }) => !ok)
  const why = failed.flatMap((cell) =>
    (cell.faults ?? []).map(
      (fault) => `${cell.package}${cell.node === undefined ? '' : ` on Node ${cell.node}`} ${cell.check}: ${fault}\n`,
    ),
  )
  return `${why.join('')}${passedCells(cells).length} passed, ${failed.length} failed\n`
}
