import type { BenchCase, Row } from './bench-case.js'
import { figure } from './report.js'

/** Where and when rows were measured. */
export interface Occasion {
  readonly date: string
  readonly node: string
  readonly machine: string
}

const HEAD = `# Performance

Written by \`pnpm bench\`; edits are lost. Ratios are ours to the peer's in the same run and above 1 in our favour, whatever the unit;
absolute figures drift from minute to minute and machine to machine. How a number comes about and when none is given:
[packages/bench](../packages/bench/README.md#method). "Spread" is (largest - smallest) / median of the rounds' ratios.
`
const UNMEASURED = 'not measured yet on a quiet machine'

/** The page with the sections of these rows renewed; a section whose rows have no verdict stays as it was. */
export function renewPage(
  page: string | undefined,
  cases: readonly BenchCase[],
  rows: readonly Row[],
  occasion: Occasion,
): string {
  const benches = [...new Set(cases.map(({ bench }) => bench))]
  const sections = benches.flatMap((bench) => {
    const own = rows.filter((row) => row.bench === bench)
    const current = titleOf(bench, occasion.node)
    const measured = own.some(isPublishable)
    const titles = [...new Set([bench, ...(measured ? [current] : []), ...othersOf(page ?? '', bench)])]
    return titles.map((title) => {
      const before = page === undefined ? undefined : sectionOf(page, title)
      if (measured && title === current) return writeSection(title, bench, cases, own, occasion)
      return before ?? writeSection(title, bench, cases, [], occasion)
    })
  })
  return [HEAD, ...sections].join('\n')
}

/** The oldest Node that the packages run on: its figures have no other name. */
const OLDEST = 'Node 20'

/** `ca-mtls`, `ca-mtls on Node 26`: what one Node does says little of another, and none overwrites another's. */
function titleOf(bench: string, node: string): string {
  const [major = node] = /^Node \d+/.exec(node) ?? []
  return major === OLDEST ? bench : `${bench} on ${major}`
}

/** Titles of the sections that are there from other Nodes. */
function othersOf(page: string, bench: string): readonly string[] {
  return [...page.matchAll(/^<!-- bench (.+ on Node \d+) -->$/gm)]
    .map(([, title = '']) => title)
    .filter((title) => title.startsWith(`${bench} on Node `))
}

/** On pinned cores, watched, with a verdict. */
function isPublishable({ verdict, notes }: Row): boolean {
  return verdict === 'measured' && notes.length === 0
}

const begin = (title: string): string => `<!-- bench ${title} -->\n`
const END = '<!-- end -->\n'

function sectionOf(page: string, title: string): string | undefined {
  const start = page.indexOf(begin(title))
  const end = page.indexOf(END, start)
  return start < 0 || end < 0 ? undefined : page.slice(start, end + END.length)
}

function writeSection(
  title: string,
  bench: string,
  cases: readonly BenchCase[],
  rows: readonly Row[],
  occasion: Occasion,
): string {
  const lines = cases
    .filter((one) => one.bench === bench)
    .flatMap((one) =>
      one.peers.map((peer) => {
        const row = rows.find((candidate) => candidate.case === one.name && candidate.peerName === peer.name)
        return `| ${one.name} | ${peer.name} | ${cells(row)} | ${goalOf(peer.goal)} |`
      }),
    )
  const measured = rows.some(isPublishable) ? `\n${occasion.date}, ${occasion.node}, ${occasion.machine}\n` : ''
  return `${begin(title)}## ${title}
${measured}
| case | peer | ratio | ours : peer | CPU µs ours : peer | more | spread, rounds | goal: must, after |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
${END}`
}

function cells(row: Row | undefined): string {
  if (row?.verdict === 'skipped') return `skipped: ${row.why} | | | |`
  if (row === undefined || row.ratio === null || !isPublishable(row)) return `${UNMEASURED} | | | |`
  const more = Object.keys(row.more.ours).map((name) => `${name} ${figure(row.more.ours[name])} : ${figure(row.more.peer[name])}`)
  return [
    `${row.ratio.toFixed(2)}x`,
    `${figure(row.ours)} : ${figure(row.peer)} ${row.unit}`,
    row.cpu.ours === null ? '' : `${figure(row.cpu.ours)} : ${figure(row.cpu.peer)}`,
    more.join(', '),
    `${((row.spread ?? 0) * 100).toFixed(0)} %, ${row.rounds}`,
  ].join(' | ')
}

function goalOf(goal: Row['goal']): string {
  return goal === undefined ? '' : `${short(goal.must)}x, ${short(goal.after)}x`
}

/** Two decimals at most. */
function short(ratio: number): number {
  return Math.round(ratio * 100) / 100
}
