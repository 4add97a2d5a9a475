import { expect, it } from 'vitest'
import type { BenchCase, Contender, Row } from './bench-case.js'
import { renewPage } from './performance-page.js'
import { formatRow } from './report.js'

const peer: Contender = {
  name: 'nginx 1.22.1',
  missing: undefined,
  goal: { must: 0.75, after: 1 },
  check: async () => {},
  measure: async () => ({ value: 1, cpuMicros: 1 }),
}
const cases: BenchCase[] = ['http', 'csr'].map((bench) => ({
  bench,
  name: 'c',
  unit: 'requests/s',
  better: 'higher',
  ours: peer,
  peers: [peer],
}))
const occasion = { date: '2026-01-02', node: 'Node 20', machine: 'a machine' }

function row(changes: Partial<Row> = {}): Row {
  return {
    bench: 'http',
    case: 'c',
    ours: 60_000,
    peer: 64_000,
    peerName: 'nginx 1.22.1',
    ratio: 0.94,
    rounds: 5,
    spread: 0.04,
    unit: 'requests/s',
    verdict: 'measured',
    cpu: { ours: 15.3, peer: 14.3 },
    more: { ours: { 'p99 ms': 2 }, peer: { 'p99 ms': 1.5 } },
    notes: [],
    ...changes,
  }
}
const refused = row({ verdict: 'refused', why: 'others', ours: null, peer: null, ratio: null, spread: null })

it('begins without a number', () => {
  const page = renewPage(undefined, cases, [refused], occasion)
  expect(page.match(/not measured yet on a quiet machine/g)).toHaveLength(2)
  expect(page).not.toContain('2026-01-02')
})

it('renews what has a verdict and keeps the rest', () => {
  const first = renewPage(undefined, cases, [row()], occasion)
  expect(first).toContain(
    '| c | nginx 1.22.1 | 0.94x | 60.0k : 64.0k requests/s | 15.3 : 14.3 | p99 ms 2.00 : 1.50 | 4 %, 5 | 0.75x, 1x |',
  )
  const second = renewPage(first, cases, [refused, row({ bench: 'csr', ratio: 107 })], { ...occasion, date: '2026-03-04' })
  expect(second).toContain('0.94x')
  expect(second).toContain('107.00x')
  expect(second).toContain('2026-01-02')
  expect(second).toContain('2026-03-04')
})

it('keeps the figures of one Node beside those of another', () => {
  const first = renewPage(undefined, cases, [row()], occasion)
  const second = renewPage(first, cases, [row({ ratio: 1.5 })], { ...occasion, date: '2026-03-04', node: 'Node 26.10.0' })
  expect(second.match(/^## .*/gm)).toEqual(['## http', '## http on Node 26', '## csr'])
  expect(second).toContain('0.94x')
  expect(second).toContain('1.50x')
  const third = renewPage(second, cases, [row({ ratio: 0.9 })], { ...occasion, node: 'Node 20.20.2' })
  expect(third).toContain('1.50x')
  expect(third).toContain('0.90x')
  expect(third).not.toContain('0.94x')
  expect(renewPage(third, cases, [refused], { ...occasion, node: 'Node 26.11.0' })).toBe(third)
})

it('does not publish what was not pinned or not watched', () => {
  expect(renewPage(undefined, cases, [row({ notes: ['not pinned'] })], occasion)).not.toContain('0.94x')
})

it('prints a refused row without numbers', () => {
  expect(formatRow(refused)).toBe('http | c | ours : nginx 1.22.1: refused: others\n')
  expect(formatRow(row())).toContain('0.94x (spread 4 %, 5 rounds); 60.0k : 64.0k requests/s; CPU 15.3 : 14.3 µs each')
})
