/** Columns under each other, as istioctl prints them: `gap` spaces between, none at the end of a line. */
export function table(rows: readonly (readonly string[])[], gap = 5): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + gap))).join('')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}
