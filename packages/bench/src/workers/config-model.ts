import { type AnyResource, createStore, decodeResource, readYaml, type Store } from '@heddle/config-model'
import { analyzeFiles } from '@heddle/config-model/analysis'
import { systemClock } from '@heddle/runtime'
import { loadAll } from 'js-yaml'
import { parseAllDocuments, stringify } from 'yaml'
import { meshDestinationRule, meshPods, meshService, meshSlice, meshVirtualService, mixedObject } from '../meshes.js'
import { serveWork, type Work } from './work.js'

// usage: (read | analyze | change) CONTENDER SIZE

const [job = '', contender = '', count = '0'] = process.argv.slice(2)
const SIZE = Number(count)

function decoded(object: unknown): AnyResource {
  const result = decodeResource(object)
  if (!result.ok || !result.value.known) throw new Error(JSON.stringify(result.diagnostics))
  return result.value.resource
}

const range = <T>(make: (i: number) => T): T[] => Array.from({ length: SIZE }, (_, i) => make(i))
const yamlOf = (objects: readonly unknown[]): string => objects.map((object) => stringify(object)).join('---\n')

/** One stream of SIZE mixed documents. */
function read(): Work {
  const text = yamlOf(range(mixedObject))
  const readers: Readonly<Record<string, () => number>> = {
    ours: () => readYaml(text, { file: 'f.yaml' }).resources.length,
    'js-yaml': () => loadAll(text).length,
    yaml: () => parseAllDocuments(text).length,
  }
  const run = readers[contender]!
  return {
    show: run,
    run: () => void run(),
    more: ({ operations, seconds }) => ({ 'MB/s': (text.length * operations) / seconds / 1e6 }),
  }
}

/** SIZE services, each with a VirtualService and a DestinationRule. */
function analyze(): Work {
  const text = yamlOf(range((i) => [meshService(i), meshVirtualService(i), meshDestinationRule(i)]).flat())
  const jobs: Readonly<Record<string, () => number>> = {
    ours: () => analyzeFiles([{ file: 'f.yaml', text }], { now: systemClock.now() }).length,
    yaml: () => parseAllDocuments(text).length,
  }
  const run = jobs[contender]!
  return { show: run, run: () => void run(), more: ({ operations, seconds }) => ({ 'ms each': (seconds / operations) * 1000 }) }
}

/** A mesh of SIZE services with ten endpoints each; every operation changes the readiness of one endpoint, or the port of one service. */
function change(): Work {
  const store = createStore()
  const objects = range((i) => [
    meshService(i),
    meshSlice(i),
    ...meshPods(i),
    ...(i % 10 === 0 ? [meshVirtualService(i), meshDestinationRule(i)] : []),
  ])
  const resources = objects.flat().map(decoded)
  store.apply({ set: resources })
  settle(store)
  const changed = Array.from({ length: Math.min(SIZE, 500) }, (_, k) => {
    const i = (k * 37) % SIZE
    return k % 2 === 0
      ? [decoded(meshSlice(i, false)), decoded(meshSlice(i, true))]
      : [decoded(meshService(i, 81)), decoded(meshService(i, 80))]
  })
  const millis: number[] = []
  const bytes: number[] = []
  let at = 0
  const next = (): AnyResource => {
    const k = at++
    return changed[k % changed.length]![Math.floor(k / changed.length) % 2]!
  }
  const ours = (): void => {
    const resource = next()
    const heap = process.memoryUsage().heapUsed
    const start = systemClock.monotonic()
    store.apply({ set: [resource] })
    millis.push(systemClock.monotonic() - start)
    // Less than before: the garbage collector ran.
    const allocated = process.memoryUsage().heapUsed - heap
    if (allocated > 0) bytes.push(allocated)
  }
  const atOnce = (): void => {
    const fresh = createStore()
    settle(fresh)
    fresh.apply({ set: [...resources, next()] })
  }
  return {
    show() {
      const shown = contender === 'ours' ? store : createStore()
      if (shown !== store) shown.apply({ set: resources })
      const one = changed[0]![0]!
      shown.apply({ set: [one] })
      const host = `${one.metadata.name}.${one.metadata.namespace}.svc.cluster.local`
      const [service] = shown.snapshot().servicesOf(host)
      return (
        service &&
        shown
          .snapshot()
          .endpoints(service, 'http')
          .map(({ address, health }) => `${address} ${health}`)
      )
    },
    run: contender === 'ours' ? ours : atOnce,
    ...(contender === 'ours'
      ? {
          more: () => ({
            'ms p50': quantile(millis, 0.5),
            'ms p99': quantile(millis, 0.99),
            'KB each': quantile(bytes, 0.5) / 1000,
          }),
        }
      : {}),
  }
}

/** Every collection is there and takes part in every change. */
function settle({ collections }: Store): void {
  const { hosts, virtualHosts, destinationRules, sidecarScopes, policies } = collections
  for (const collection of [hosts, ...Object.values(virtualHosts), destinationRules, sidecarScopes, ...Object.values(policies)])
    collection.subscribe(() => {})
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * q)] ?? 0
}

const jobs: Readonly<Record<string, () => Work>> = { read, analyze, change }
await serveWork(jobs[job]!())
