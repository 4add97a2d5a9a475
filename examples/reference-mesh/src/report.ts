import { stdout } from 'node:process'

const colour = stdout.isTTY && process.env['NO_COLOR'] === undefined
const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)

/** What the person in front of the demo sees, and what was missed. */
export interface Report {
  readonly misses: readonly string[]
  section(title: string): void
  /** A live line that says what is going on; the next line replaces it on a terminal. */
  progress(text: string): void
  /** One measured fact. It is a miss when `held` is false. */
  check(held: boolean, text: string): void
  note(text: string): void
}

export function createReport(): Report {
  const misses: string[] = []
  let live = false
  const print = (line: string): void => {
    if (live) stdout.write('\r\x1b[2K')
    live = false
    stdout.write(`${line}\n`)
  }
  let section = ''
  return {
    misses,
    section(title) {
      section = title
      print(`\n${paint(1, title)}`)
    },
    progress(text) {
      if (!stdout.isTTY) return print(`  … ${text}`)
      stdout.write(`\r\x1b[2K  ${paint(2, `… ${text}`)}`)
      live = true
    },
    check(held, text) {
      if (!held) misses.push(`${section}: ${text}`)
      print(`  ${held ? paint(32, '✓') : paint(31, '✗')} ${text}`)
    },
    note: (text) => print(`    ${paint(2, text)}`),
  }
}

/** Rows as a table with aligned columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  lines.splice(1, 0, `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`)
  return lines.join('\n')
}
