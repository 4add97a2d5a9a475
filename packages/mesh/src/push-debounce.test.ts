import { createStore, type Store } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { createMetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { debouncePushes, type PushDebounce } from './push-debounce.js'

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
`
const sliceOf = (address: string): string => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-1, namespace: shop, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [${address}]}]
`
const routeTo = (host: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec: {hosts: [cart], http: [{route: [{destination: {host: ${host}}}]}]}
`

function setup(options: PushDebounce = {}) {
  const store: Store = createStore()
  const source = createMemorySource({ store })
  const files: Record<string, string> = { service: SERVICE, slice: sliceOf('10.0.0.1'), route: routeTo('cart') }
  source.apply(files)
  const clock = createFakeClock()
  const metrics = createMetricsRegistry()
  const pushes: [number, number][] = []
  const stop = debouncePushes({ store, clock, metrics, push: () => pushes.push([clock.monotonic(), store.revision]), ...options })
  const write = (more: Record<string, string>): void => void source.apply(Object.assign(files, more))
  return { store, clock, metrics, pushes, stop, write }
}

test('changes gather for 100 ms, endpoints too, and are one push', () => {
  const { store, clock, pushes, write } = setup()
  write({ slice: sliceOf('10.0.0.2') })
  clock.advance(60)
  write({ route: routeTo('other') })
  clock.advance(99)
  expect(pushes).toEqual([])
  clock.advance(1)
  expect(pushes).toEqual([[160, store.revision]])
})

test('no change waits for longer than the most, however many follow', () => {
  const { clock, pushes, write } = setup({ afterMs: 100, maxMs: 1_000 })
  for (let i = 0; i < 30; i++) {
    write({ route: routeTo(`cart-${i}`) })
    clock.advance(50)
  }
  expect(pushes.map(([at]) => at)).toEqual([1_000])
})

test('EDS fast path: endpoints go at once when they are not debounced, other changes as ever', () => {
  const { clock, pushes, write } = setup({ endpoints: false })
  write({ slice: sliceOf('10.0.0.2') })
  expect(pushes.map(([at]) => at)).toEqual([0])
  write({ route: routeTo('other') })
  expect(pushes).toHaveLength(1)
  clock.advance(100)
  expect(pushes.map(([at]) => at)).toEqual([0, 100])
})

test('EDS fast path: endpoints wait with a change that waits, and with one that comes in the same batch', () => {
  const { clock, pushes, write } = setup({ endpoints: false })
  write({ route: routeTo('other') })
  write({ slice: sliceOf('10.0.0.2') })
  expect(pushes).toEqual([])
  clock.advance(100)
  expect(pushes).toHaveLength(1)
  write({ service: SERVICE.replace('port: 80', 'port: 81'), slice: sliceOf('10.0.0.3') })
  expect(pushes).toHaveLength(1)
  clock.advance(100)
  expect(pushes).toHaveLength(2)
})

test('what triggers pushes and how long it waited is told under Istio’s names', () => {
  const { clock, metrics, write } = setup()
  write({ slice: sliceOf('10.0.0.2') })
  write({ route: routeTo('other') })
  clock.advance(200)
  const text = renderPrometheus(metrics)
  expect(text).toContain('pilot_inbound_updates{type="eds"} 1')
  expect(text).toContain('pilot_push_triggers{type="config"} 1')
  expect(text).toContain('pilot_debounce_time_count 1')
})

test('after the end nothing is pushed', () => {
  const { clock, pushes, stop, write } = setup({ endpoints: false })
  write({ route: routeTo('other') })
  stop()
  write({ slice: sliceOf('10.0.0.2') })
  clock.advance(1_000)
  expect(pushes).toEqual([])
  expect(clock.pending).toBe(0)
})
