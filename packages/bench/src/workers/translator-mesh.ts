import { type AnyResource, createStore } from '@heddle/config-model'
import { createTranslator, type ProxyDescriptor, type Translator } from '@heddle/translator'
import type { ResourceSet } from '@heddle/xds-types'
import { createDiffer, type Differ } from '../translator/encode-all.js'
import { CHANGES, LARGE_MESH, meshObjects, meshProxies, sidecarProxy } from '../translator/large-mesh.js'
import { serveTimed, type TimedWork } from './timed.js'

// usage: cold | endpoint | VirtualService | DestinationRule | proxy, REACH, SCALE. From `store.apply` to the last encoded byte, for all proxies.

const [scenario = '', reach = '20', scale = '1'] = process.argv.slice(2)
const shape = {
  ...LARGE_MESH,
  services: Math.ceil(LARGE_MESH.services * Number(scale)),
  proxies: Math.ceil(LARGE_MESH.proxies * Number(scale)),
  reach: Number(reach),
}
const objects = meshObjects(shape)
const proxies = meshProxies(shape)

interface Mesh {
  readonly store: ReturnType<typeof createStore>
  readonly translator: Translator
  readonly differ: Differ
  /** Follows one more proxy until the function that it returns is called. */
  follow(proxy: ProxyDescriptor): () => void
  /** Resources that proxies were to be sent. */
  sent(): number
}

function createMesh(): Mesh {
  const store = createStore()
  store.apply({ set: objects })
  const translator = createTranslator(store.snapshot())
  store.subscribe(translator.update)
  const differ = createDiffer()
  let sent = 0
  return {
    store,
    translator,
    differ,
    sent: () => sent,
    follow(proxy) {
      const watch = translator.watch(proxy)
      let held: ResourceSet | undefined
      const take = (set: ResourceSet): void => {
        sent += differ.diff(held, set)
        held = set
      }
      const stop = watch.subscribe(take)
      take(watch.current)
      return stop
    },
  }
}

function heapMB(): number {
  globalThis.gc?.()
  return Math.round(process.memoryUsage().heapUsed / 1e6)
}

function cold(): TimedWork {
  let mesh: Mesh | undefined
  return {
    check() {},
    prepare() {
      mesh = undefined
    },
    run() {
      mesh = createMesh()
      for (const proxy of proxies) mesh.follow(proxy)
    },
    more: () => ({ 'heap MB': heapMB(), 'encoded MB': Math.round((mesh?.differ.bytes ?? 0) / 1e6) }),
  }
}

function warm(): Mesh {
  const mesh = createMesh()
  for (const proxy of proxies) mesh.follow(proxy)
  return mesh
}

function changes(make: (revision: number) => readonly AnyResource[]): TimedWork {
  const mesh = warm()
  let next: readonly AnyResource[] = []
  let revision = 0
  const prepare = (): void => {
    next = make(++revision)
  }
  const run = (): void => void mesh.store.apply({ set: next })
  return {
    prepare,
    run,
    check() {
      const before = mesh.sent()
      prepare()
      run()
      if (mesh.sent() - before < proxies.length / 10) throw new Error(`only ${mesh.sent() - before} resources were to be sent`)
    },
    more: () => ({ 'heap MB': heapMB() }),
  }
}

function newProxies(): TimedWork {
  const mesh = warm()
  let last: (() => void) | undefined
  let count = 0
  return {
    check() {},
    prepare() {
      last?.()
    },
    run() {
      count++
      const like = sidecarProxy(shape, 200 + (count % 1_000))
      last = mesh.follow({ ...like, id: `new-${count}`, addresses: [`10.251.${(count >> 8) & 255}.${count & 255}`] })
    },
  }
}

const change = Object.entries(CHANGES).find(([name]) => name === scenario)?.[1]
if (scenario === 'cold') await serveTimed(cold())
else if (scenario === 'proxy') await serveTimed(newProxies())
else if (change !== undefined) await serveTimed(changes((revision) => change(shape, revision)))
else throw new Error(`no scenario ${scenario}`)
