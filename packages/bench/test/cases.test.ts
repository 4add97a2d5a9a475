import { describe, expect, it } from 'vitest'
import { benchCases } from '../src/cases/index.js'
import { inFolder } from '../src/run-case.js'
import { MINIMAL } from './minimal.js'

const cases = benchCases()
const titled = cases.flatMap((one) => [
  { title: `${one.name}: ${one.ours.name}`, contender: one.ours },
  // A peer does the same in several cases of a bench: once is enough.
  ...one.peers.map((contender) => ({ title: `${one.bench}: ${contender.name}`, contender })),
])
const contenders = [...new Map(titled.map((one) => [one.title, one])).values()]

describe('a contender does the work right', () => {
  it.for(contenders)('$title', async ({ contender }, { skip }) => {
    if (contender.missing !== undefined) skip(contender.missing)
    await expect(inFolder(MINIMAL, (context) => contender.check(context))).resolves.toBeUndefined()
  })
})

// The first of each bench. Of the proxies none: a load generator measures whole seconds, and refuses to be the limit.
const loops = cases.filter(({ bench }) => !/^http|^tcp|-policy$/.test(bench))
describe('a round gives a number', () => {
  it.for([...new Map(loops.toReversed().map((one) => [one.bench, one])).values()])('$bench', async ({ ours, unit }) => {
    const sample = await inFolder(MINIMAL, (context) => ours.measure(context))
    expect(sample.unusable).toBeUndefined()
    expect(sample.value).toBeGreaterThan(0)
    // Bytes and memory cost no time; everything else tells what it took.
    if (!['bytes', 'KB'].includes(unit)) expect(sample.cpuMicros).toBeGreaterThan(0)
  })
})
