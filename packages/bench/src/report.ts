import type { Row } from './bench-case.js'

/** One line a row; a row without a verdict says why and shows no number. */
export function formatRow(row: Row): string {
  const what = `${row.bench} | ${row.case} | ours : ${row.peerName}`
  if (row.verdict !== 'measured' || row.ratio === null) return `${what}: ${row.verdict}: ${row.why ?? ''}\n`
  const figures = `${figure(row.ours)} : ${figure(row.peer)} ${row.unit}`
  const parts = [
    `${row.ratio.toFixed(2)}x (spread ${((row.spread ?? 0) * 100).toFixed(0)} %, ${row.rounds} rounds)`,
    figures,
    ...(row.cpu.ours === null || row.cpu.peer === null ? [] : [`CPU ${figure(row.cpu.ours)} : ${figure(row.cpu.peer)} µs each`]),
    ...Object.keys(row.more.ours).map((name) => `${name} ${figure(row.more.ours[name])} : ${figure(row.more.peer[name])}`),
    ...row.notes,
  ]
  return `${what}: ${parts.join('; ')}\n`
}

/** One JSON array. */
export function formatJson(rows: readonly Row[]): string {
  return `${JSON.stringify(rows, undefined, 1)}\n`
}

/** Three digits that mean something: 64.9k, 15.3, 0.412. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '?'
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
