import type { Cell } from './checks/check.js'

/** What the tarballs are like, a row each. */
const READ = ['packed KB', 'contents', 'exports', 'publint', 'attw', 'types', 'types cjs'] as const
/** How they run, a row for each Node. */
const RUN = ['readme', 'readme cjs', 'jest', 'import', 'require', 'command', 'import ms', 'RSS MB'] as const

type Rows = readonly (readonly string[])[]

function rowsOf(
  cells: readonly Cell[],
  columns: readonly string[],
  head: readonly string[],
  key: (cell: Cell) => readonly string[],
): Rows {
  const own = cells.filter(({ check }) => columns.includes(check))
  const used = columns.filter((column) => own.some(({ check }) => check === column))
  const names = [...new Map(own.map((cell) => [key(cell).join(), key(cell)])).values()]
  return [
    [...head, ...used],
    ...names.map((name) => [
      ...name,
      ...used.map((column) => {
        const cell = own.find((one) => key(one).join() === name.join() && one.check === column)
        return cell === undefined ? '-' : cell.ok ? (cell.shows ?? 'ok') : 'FAIL'
      }),
    ]),
  ]
}

/** Two tables: package by what was read, package and Node by what was run. */
function tables(cells: readonly Cell[]): readonly Rows[] {
  const run = cells
    .filter(({ node }) => node !== undefined)
    .sort((a, b) => (a.package < b.package ? -1 : a.package > b.package ? 1 : 0))
  return [
    rowsOf(cells, READ, ['package'], (cell) => [cell.package]),
    rowsOf(run, RUN, ['package', 'Node'], (cell) => [cell.package, String(cell.node)]),
  ].filter((rows) => rows.length > 1)
}

/** Columns aligned. */
export function formatTables(cells: readonly Cell[]): string {
  return tables(cells).map(formatTable).join('\n')
}

function formatTable(rows: Rows): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const padded = (row: readonly string[]): string => row.map((text, i) => text.padEnd(widths[i] ?? 0)).join('  ')
  return rows.map((row) => `${padded(row).trimEnd()}\n`).join('')
}

/** The two tables in Markdown. */
export function markdownTables(cells: readonly Cell[]): readonly string[] {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |\n`
  return tables(cells).map(([head = [], ...body]) => line(head) + line(head.map(() => '---')) + body.map(line).join(''))
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
