import { describe, expect, it } from 'vitest'
import { readYaml } from '../read.js'
import { createStore, type Store } from '../store.js'

const entry = (name: string, hosts: string, { more = '', labels = '', created = '', status = '' } = {}): string =>
  `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop, labels: {${labels}}${created === '' ? '' : `, creationTimestamp: ${JSON.stringify(created)}`}}
spec: {hosts: ${hosts}, ports: [{number: 80, name: http, protocol: HTTP}], ${more === '' ? 'resolution: DNS' : more}}
${status === '' ? '' : `status: {addresses: ${status}}\n`}`

function storeOf(...texts: string[]): Store {
  const store = createStore()
  for (const text of texts) {
    const { resources, diagnostics } = readYaml(text, { file: 'f' })
    expect(diagnostics).toEqual([])
    store.apply({ set: resources })
  }
  return store
}

const addressOf = (store: Store, host: string): readonly string[] | undefined => store.snapshot().servicesOf(host)[0]?.addresses

describe('addresses for ServiceEntries that have none', () => {
  it('are of 240.240.0.0/16, one for each host, the same after a restart and in any order', () => {
    const texts = [entry('a', '[a.example, b.example]'), entry('c', '[c.example]')]
    const [one, other] = [storeOf(...texts), storeOf(...texts.toReversed())]
    const hosts = ['a.example', 'b.example', 'c.example']
    const found = hosts.map((host) => addressOf(one, host))
    expect(new Set(found.flat()).size).toBe(3)
    for (const address of found.flat()) expect(address).toMatch(/^240\.240\.\d{1,3}\.\d{1,3}$/)
    expect(hosts.map((host) => addressOf(other, host))).toEqual(found)
  })

  it.each([
    ['a wildcard', entry('a', '["*.example"]', { more: 'resolution: NONE' }), '*.example'],
    ['resolution NONE', entry('a', '[a.example]', { more: 'resolution: NONE' }), 'a.example'],
    ['who opted out', entry('a', '[a.example]', { labels: 'networking.istio.io/enable-autoallocate-ip: "False"' }), 'a.example'],
  ])('are not for %s', (_name, text, host) => {
    expect(addressOf(storeOf(text), host)).toEqual([])
  })

  it('give way to those of the spec and of a status', () => {
    const store = storeOf(
      entry('a', '[a.example]', { more: 'resolution: DNS, addresses: [10.0.0.9]' }),
      entry('b', '[b.example]', { status: '[{value: 240.240.0.7, host: b.example}]' }),
    )
    expect(addressOf(store, 'a.example')).toEqual(['10.0.0.9'])
    expect(addressOf(store, 'b.example')).toEqual(['240.240.0.7'])
  })

  it("are nobody else's: who comes later to a place takes the next free one, and the older keeps its own", () => {
    const [own] = addressOf(storeOf(entry('a', '[a.example]')), 'a.example')!
    const store = storeOf(entry('a', '[a.example]'), entry('b', '[b.example]', { status: `[{value: ${own}, host: b.example}]` }))
    expect(addressOf(store, 'b.example')).toEqual([own])
    expect(addressOf(store, 'a.example')).toHaveLength(1)
    expect(addressOf(store, 'a.example')).not.toEqual([own])
    store.remove('ServiceEntry shop/b')
    expect(addressOf(store, 'a.example')).toEqual([own])
  })

  it('differ for thousands of hosts, however many of them meet', () => {
    const hosts = Array.from({ length: 3000 }, (_, i) => `h${i}.example`)
    const store = storeOf(hosts.map((host, i) => entry(`e${i}`, `[${host}]`)).join('---\n'))
    const all = hosts.flatMap((host) => addressOf(store, host) ?? [])
    expect(new Set(all).size).toBe(3000)
    const moved = storeOf(
      hosts
        .toReversed()
        .map((host, i) => entry(`e${i}`, `[${host}]`))
        .join('---\n'),
    )
    expect(hosts.flatMap((host) => addressOf(moved, host) ?? [])).toEqual(all)
  })
})
