import { CROSS } from './cell-title.js'

/** What vitest's JSON reporter writes, as far as it is read here. */
export interface TestReport {
  readonly startTime: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

/** One control plane with one data plane: the checks that passed, and those that did not. */
export interface CellResult {
  readonly controlPlane: string
  readonly dataPlane: string
  readonly passed: readonly string[]
  readonly failed: readonly string[]
}

/** Cells in the order of the run. Skipped checks count as failed: a matrix is of what ran. */
export function cellsOf({ testResults }: TestReport): CellResult[] {
  const cells = new Map<string, CellResult & { passed: string[]; failed: string[] }>()
  for (const { assertionResults } of testResults) {
    for (const { ancestorTitles, title, status } of assertionResults) {
      const group = ancestorTitles[0] ?? ''
      const [controlPlane, dataPlane] = group.split(CROSS)
      if (controlPlane === undefined || dataPlane === undefined) continue
      const cell = cells.get(group) ?? { controlPlane, dataPlane, passed: [], failed: [] }
      cells.set(group, cell)
      if (status === 'passed') cell.passed.push(title)
      else cell.failed.push(title)
    }
  }
  return [...cells.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

function key({ controlPlane, dataPlane }: CellResult): string {
  return `${controlPlane}${CROSS}${dataPlane}`
}

/** The matrix as Markdown: a row for each data plane, a column for each control plane; below it what was checked. `date`: YYYY-MM-DD. */
export function renderMatrix(cells: readonly CellResult[], date: string): string {
  const columns = [...new Set(cells.map(({ controlPlane }) => controlPlane))]
  const rows = [...new Set(cells.map(({ dataPlane }) => dataPlane))]
  const textOf = (dataPlane: string, controlPlane: string): string => {
    const cell = cells.find((one) => one.dataPlane === dataPlane && one.controlPlane === controlPlane)
    if (cell === undefined) return ''
    const { passed, failed } = cell
    return failed.length === 0
      ? `${passed.length} passed, ${date}`
      : `**${failed.length} failed**, ${passed.length} passed, ${date}`
  }
  const line = (fields: readonly string[]): string => `| ${fields.join(' | ')} |`
  const table = [
    line(['data plane', ...columns]),
    line(['---', ...columns.map(() => '---')]),
    ...rows.map((row) => line([row, ...columns.map((column) => textOf(row, column))])),
  ]
  return `${table.join('\n')}\n\n${renderChecks(cells)}`
}

/** Cells with the same checks share a list. */
function renderChecks(cells: readonly CellResult[]): string {
  const lists = new Map<string, string[]>()
  for (const { dataPlane, passed, failed } of cells) {
    const checks = [...passed.map((title) => `- ${title}`), ...failed.map((title) => `- **failed:** ${title}`)].join('\n')
    lists.set(checks, [...new Set([...(lists.get(checks) ?? []), dataPlane])])
  }
  return [...lists].map(([checks, dataPlanes]) => `${dataPlanes.join(', ')}:\n\n${checks}\n`).join('\n')
}

/** Puts `matrix` between the two marks of a page. */
export function intoPage(page: string, matrix: string): string {
  const [begin, end] = ['<!-- matrix: written by the run -->', '<!-- end of matrix -->']
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`)
  return `${page.slice(0, from + begin.length)}\n${matrix}${page.slice(to)}`
}
