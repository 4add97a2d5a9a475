import { expect, it } from 'vitest'
import type { BenchCase, Row } from './bench-case.js'
import { type Io, main } from './main.js'

const contender = { name: 'x', missing: undefined, check: async () => {}, measure: async () => ({ value: 1, cpuMicros: 1 }) }
const cases: BenchCase[] = ['http1-proxy', 'csr'].map((bench) => ({
  bench,
  name: 'c',
  unit: 'u',
  better: 'higher',
  ours: contender,
  peers: [contender],
}))

async function run(
  args: string[],
  verdict: Row['verdict'] = 'measured',
): Promise<{ code: number; out: string; err: string; ran: string[] }> {
  const seen = { out: '', err: '', ran: [] as string[] }
  const io: Io = {
    out: (text) => void (seen.out += text),
    err: (text) => void (seen.err += text),
    async run(bench, { rounds }) {
      seen.ran.push(`${bench.bench} ${rounds}`)
      const none = { cpu: { ours: null, peer: null }, more: { ours: {}, peer: {} }, notes: [] }
      const numbers = { ours: 2, peer: 1, ratio: 2, rounds, spread: 0 }
      return [{ bench: bench.bench, case: 'c', peerName: 'x', unit: 'u', verdict, ...numbers, ...none }]
    },
    publish: async () => {},
  }
  return { code: await main(args, cases, io), ...seen }
}

it('runs all, or the benches of a name', async () => {
  expect((await run([])).ran).toEqual(['http1-proxy 5', 'csr 5'])
  expect((await run(['http1', '--rounds', '3'])).ran).toEqual(['http1-proxy 3'])
})

it('prints one list of rows with -o json', async () => {
  const [row] = JSON.parse((await run(['csr', '-o', 'json'])).out) as object[]
  expect(row).toMatchObject({ bench: 'csr', case: 'c', ours: 2, peer: 1, peerName: 'x', ratio: 2, rounds: 5, spread: 0 })
})

it('exits 1 when a verdict was refused, and 64 for wrong use', async () => {
  expect((await run([], 'refused')).code).toBe(1)
  expect((await run([], 'skipped')).code).toBe(0)
  for (const args of [['nonsense'], ['--rounds', '0'], ['-o', 'xml'], ['--what'], ['csr', 'csr']])
    expect((await run(args)).code).toBe(64)
  expect((await run(['nonsense'])).err).toBe('there is no bench nonsense; benches: http1-proxy, csr\n')
})
