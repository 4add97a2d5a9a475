import { createWatch } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import { describe, expect, test } from 'vitest'
import { createLinearCache } from './linear-cache.js'
import { muxWatches } from './mux-cache.js'

const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const assignment = (name: string): object => ({ cluster_name: name })
const namesIn = (set: ResourceSet | undefined): string[] =>
  (set?.groups ?? [])
    .flatMap((group) => group.resources.get(EDS) ?? [])
    .map((each) => (each as { cluster_name: string }).cluster_name)
    .sort()

describe('a linear cache (line 72)', () => {
  test('says nothing before the first update, then also that there is nothing', () => {
    const cache = createLinearCache(EDS)
    expect(cache.watch.current).toBeUndefined()
    cache.update({})
    expect(cache.watch.current).toEqual({ groups: [] })
  })
  test('holds what was set last, and tells once per update', () => {
    const cache = createLinearCache(EDS)
    let told = 0
    cache.watch.subscribe(() => told++)
    cache.update({ set: ['a', 'b', 'c'].map((name) => [name, assignment(name)]) })
    cache.update({ set: [['d', assignment('d')]], delete: ['a'] })
    expect([namesIn(cache.watch.current), cache.size, told]).toEqual([['b', 'c', 'd'], 3, 2])
    expect([[...cache.names()].sort(), cache.get('a'), cache.get('b')]).toEqual([['b', 'c', 'd'], undefined, assignment('b')])
  })
  test('the same object again, or a name that is not there, is no change', () => {
    const cache = createLinearCache(EDS)
    const a = assignment('a')
    cache.set('a', a)
    const before = cache.watch.current
    cache.set('a', a)
    cache.delete('b')
    expect(cache.watch.current).toBe(before)
  })
  test('one change among thousands leaves all groups but one as they are', () => {
    const cache = createLinearCache(EDS)
    const names = Array.from({ length: 2_000 }, (_, i) => `cluster-${i}`)
    cache.update({ set: names.map((name) => [name, assignment(name)]) })
    const before = new Set<ResourceGroup>(cache.watch.current?.groups)
    cache.set('cluster-7', assignment('cluster-7'))
    const made = cache.watch.current?.groups.filter((group) => !before.has(group)) ?? []
    expect(before.size).toBeGreaterThan(50)
    expect(made).toHaveLength(1)
  })
})

describe('several caches as one (line 73)', () => {
  const group = (id: string): ResourceSet => ({ groups: [{ id, resources: new Map() }] })
  test('nothing is said before every part has spoken', () => {
    const [a, b] = [createWatch<ResourceSet | undefined>(group('a')), createWatch<ResourceSet | undefined>(undefined)]
    const mux = muxWatches([a, b])
    const seen: (string[] | undefined)[] = []
    const stop = mux.subscribe((set) => seen.push(set?.groups.map(({ id }) => id)))
    expect(mux.current).toBeUndefined()
    b.set(group('b'))
    a.set(group('A'))
    stop()
    a.set(group('unheard'))
    expect(seen).toEqual([
      ['a', 'b'],
      ['A', 'b'],
    ])
  })
  test('the same parts are the same set', () => {
    const mux = muxWatches([createWatch<ResourceSet | undefined>(group('a')), createWatch<ResourceSet | undefined>(group('b'))])
    expect(mux.current).toBe(mux.current)
  })
})
