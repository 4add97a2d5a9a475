import { createFakeClock } from '@heddle/runtime/testing'
import type { ResourceSet } from '@heddle/xds-types'
import { expect, test } from 'vitest'
import { CDS, setOf, testServer } from './fake-client.test-suite.js'
import { createStoredCache, type ResourceStore } from './stored-cache.js'

/** A store in memory whose reads end when the test says so. */
function memoryStore(first: ResourceSet): ResourceStore & { set(set: ResourceSet | Error): void; readonly reads: number } {
  const listeners = new Set<(nodeId: string | undefined) => void>()
  let held: ResourceSet | Error = first
  let reads = 0
  return {
    get reads() {
      return reads
    },
    async read() {
      reads++
      if (held instanceof Error) throw held
      return held
    },
    set(next) {
      held = next
      for (const changed of listeners) changed(undefined)
    },
    subscribe(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const clusters = (...names: string[]): ResourceSet => setOf({ [CDS]: names.map((name) => ({ name })) })

test('replicas of one store agree: a client that goes from one to another is sent nothing twice (line 75)', async () => {
  const store = memoryStore(clusters('a', 'b'))
  const replica = () => {
    const cache = createStoredCache({ store })
    return testServer({ resources: (node) => cache.watch(node.id) })
  }
  const [one, two] = [replica(), replica()]
  const stream = one.open('delta')
  stream.ask(CDS, [])
  await turn()
  one.clock.advance(0)
  expect(stream.take()).toEqual(['Cluster a b'])
  stream.ack(CDS)
  const [known] = [...one.server.status()].map(({ streamId }) => one.server.sent(streamId).get(CDS) ?? [])
  stream.onEnd()
  const moved = two.open('delta')
  moved.ask(CDS, [], { initial_resource_versions: Object.fromEntries((known ?? []).map(({ name, version }) => [name, version])) })
  await turn()
  two.clock.advance(0)
  expect(moved.take()).toEqual(['Cluster'])
})

test('a change is read once more, however often it changes meanwhile, and only for who is connected', async () => {
  const store = memoryStore(clusters('a'))
  const cache = createStoredCache({ store })
  const watch = cache.watch('n')
  store.set(clusters('b'))
  expect(store.reads).toBe(0)
  const seen: unknown[] = []
  const stop = watch.subscribe((set) => seen.push(set))
  await turn()
  const last = clusters('d')
  for (const set of [clusters('c'), clusters('c'), last]) store.set(set)
  await turn()
  expect(store.reads).toBeLessThanOrEqual(3)
  expect(watch.current).toBe(last)
  stop()
  store.set(clusters('e'))
  await turn()
  expect(store.reads).toBeLessThanOrEqual(3)
  cache.close()
})

test('a store that cannot be read is asked again later, and clients keep what they have', async () => {
  const clock = createFakeClock()
  const good = clusters('a')
  const store = memoryStore(good)
  const cache = createStoredCache({ store, clock, retryMs: 500 })
  const watch = cache.watch('n')
  watch.subscribe(() => {})
  await turn()
  store.set(new Error('away'))
  await turn()
  expect(watch.current).toBe(good)
  const next = clusters('b')
  store.set(next)
  await turn()
  store.set(new Error('away'))
  await turn()
  clock.advance(500)
  await turn()
  expect(watch.current).toBe(next)
  cache.close()
})
