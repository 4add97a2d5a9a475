import { readdirSync, readFileSync } from 'node:fs'
import { createHeaderMap, type ExplainedResult, type Explanation, explain } from '@heddle/proxy-core'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { dataFolders, findData } from '../src/data.js'
import { factsOf, listenerOf } from '../src/suites/simulated-call.js'
import { resourcesOf, type Scenario } from '../src/suites/simulation.js'
import { type SeededCall, seededCalls } from './explained-calls.js'
import { inlined, type LiveResult, startLiveProxy } from './live-proxy.js'

const REQUESTS = 10_000
const [file] = findData(dataFolders([], process.env['HEDDLE_CONFORMANCE']), 'simulation.json')

test.skipIf(file === undefined)(
  `explain tells what becomes of ${REQUESTS} seeded requests (skipped: HEDDLE_CONFORMANCE is not set)`,
  async () => {
    const scenarios = file?.json() as readonly Scenario[]
    const perScenario = Math.ceil(REQUESTS / scenarios.length)
    const wrong: string[] = []
    const kinds = new Map<string, number>()
    for (const [seed, scenario] of scenarios.entries()) {
      for (const { call, explained, live } of await compared(scenario, perScenario, seed + 1)) {
        const want = textOf(explained.result, explained)
        const got = textOf(live)
        kinds.set(live.kind, (kinds.get(live.kind) ?? 0) + 1)
        if (want !== got && wrong.length < 20)
          wrong.push(`${scenario.id}: ${JSON.stringify(call)}: explained ${want}, lived ${got}`)
      }
    }
    expect(wrong).toEqual([])
    expect([...kinds.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(REQUESTS)
    // Neither side may have agreed on nothing.
    for (const kind of ['forward', 'reply', 'close']) expect(kinds.get(kind) ?? 0).toBeGreaterThan(100)
  },
  120_000,
)

interface Compared {
  readonly call: SeededCall
  readonly explained: Explanation
  readonly live: LiveResult
}

async function compared(scenario: Scenario, count: number, seed: number): Promise<readonly Compared[]> {
  const resources = inlined(resourcesOf(scenario))
  const sidecar = resources.listeners.some((listener) => listener['name'] === 'virtualOutbound')
  let dice = 0
  const live = await startLiveProxy(resources, { next: () => dice })
  const out: Compared[] = []
  for (const call of seededCalls(resourcesOf(scenario), sidecar, count, createSeededRandom(seed))) {
    dice = call.dice
    out.push({ call, explained: ask(call, sidecar, live.inForce), live: await live.call(call) })
  }
  await live.close()
  return out
}

function ask(call: SeededCall, sidecar: boolean, config: Parameters<typeof explain>[0]): Explanation {
  const { address, port } = call.destination
  const callMode = call.inbound ? 'inbound' : sidecar ? 'outbound' : 'gateway'
  const asCall = { address, port, protocol: 'http', callMode } as const
  const listener = listenerOf(asCall, config.listeners)
  const { method, host, path, headers } = call
  return explain(config, {
    head: { method, scheme: 'http', authority: host, path, headers: createHeaderMap(headers) },
    connection: listener === undefined ? factsOf(asCall, { listenerFilters: [] } as never) : factsOf(asCall, listener),
    ...(call.inbound && { listener: 'virtualInbound' }),
    random: { next: () => call.dice },
  })
}

function textOf(result: ExplainedResult | LiveResult, explained?: Explanation): string {
  if (result.kind === 'forward') return `forward to ${result.cluster} at ${result.endpoint}`
  // Whom a TCP proxy cannot serve hears nothing.
  const silent = explained?.stages.some(({ stage }) => stage === 'tcp_proxy') === true
  return result.kind === 'close' || silent ? 'close' : `reply ${result.status} ${result.details}`
}

test('explain has no matcher of its own', () => {
  const folder = new URL('../../proxy-core/src/explain/', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  expect(sources.length).toBeGreaterThan(2)
  for (const name of sources) {
    const text = readFileSync(new URL(name, folder), 'utf8')
    // It asks what the data path compiled; it neither compiles nor compares text itself.
    expect(text, name).not.toMatch(/from '\.\.\/matcher\/|RegExp|\.startsWith\(|\.endsWith\(|\.match\(|\.test\(/)
  }
})
