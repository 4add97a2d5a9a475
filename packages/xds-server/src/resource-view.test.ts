import { fail, ok, problem } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet, VersionedResource } from '@heddle/xds-types'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffViews } from './resource-diff.js'
import { createViews, EMPTY_VIEW, restrictView, type TypeView } from './resource-view.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const resource = (name: string, version: string): VersionedResource => ({ name, version, bytes: new Uint8Array() })
const group = (id: string, content: Record<string, string>): ResourceGroup => ({
  id,
  resources: new Map([[CDS, Object.entries(content).map(([name, version]) => resource(name, version))]]),
})
const set = (...groups: ResourceGroup[]): ResourceSet => ({ groups })
const views = createViews(() => fail(problem('test', '', 'not encodable')))
const viewOf = (...groups: ResourceGroup[]): TypeView => views(set(...groups)).type(CDS)

describe('views', () => {
  test('a group is indexed once, whoever holds it', () => {
    const shared = group('shared', { a: '1' })
    expect(viewOf(shared).groups[0]).toBe(viewOf(group('own', { b: '1' }), shared).groups[1])
  })
  test('an object is encoded once for all sets', () => {
    let encoded = 0
    const own = createViews((_, entry) => {
      encoded++
      return ok(resource((entry as { name: string }).name, '1'))
    })
    const shared: ResourceGroup = { id: 'g', resources: new Map([[CDS, [{ name: 'a' }, { name: 'b' }]]]) }
    expect(own(set(shared)).type(CDS).get('b')?.name).toBe('b')
    expect(own({ groups: [shared] }).type(CDS).size).toBe(2)
    expect(encoded).toBe(2)
  })
  test('what cannot be encoded is told, and the view is not to be served (line 63)', () => {
    expect(viewOf({ id: 'g', resources: new Map([[CDS, [{ name: 'a' }]]]) }).diagnostics).toHaveLength(1)
  })
  test('no name stands twice (line 55)', () => {
    const twice: ResourceGroup = { id: 'g', resources: new Map([[CDS, [resource('a', '1'), resource('a', '2')]]]) }
    expect([...viewOf(twice).resources()].map(({ version }) => version)).toEqual(['1'])
    const across = viewOf(group('g', { a: '1' }), group('h', { a: '2', b: '1' }))
    expect([...across.resources()].map(({ name, version }) => `${name}@${version}`)).toEqual(['a@1', 'b@1'])
  })
  test('the version says what is in it, however it is grouped', () => {
    expect(viewOf(group('g', { a: '1', b: '1' })).version).toBe(viewOf(group('g', { b: '1' }), group('h', { a: '1' })).version)
    expect(viewOf(group('g', { a: '1' })).version).not.toBe(viewOf(group('g', { a: '2' })).version)
    expect(viewOf().version).toBe(EMPTY_VIEW.version)
  })
  test('a restricted view hides names', () => {
    const view = restrictView(viewOf(group('g', { a: '1', b: '1' })), (name) => name === 'a')
    expect([view.get('b'), [...view.resources()].length]).toEqual([undefined, 1])
    expect(diffViews(EMPTY_VIEW, view)).toEqual({ changed: ['a'], removed: [] })
  })
})

test('a diff leads from any view to any other, however they are grouped', () => {
  const contents = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2')), { maxLength: 3 })
  // A name belongs to the first group that has it: the contract of a set.
  const distinct = (parts: Record<string, string>[]): ResourceGroup[] => {
    const taken = new Set<string>()
    return parts.map((part, i) => {
      const own = Object.entries(part).filter(([name]) => !taken.has(name))
      for (const [name] of own) taken.add(name)
      return group(`g${i}`, Object.fromEntries(own))
    })
  }
  fc.assert(
    fc.property(contents, contents, fc.boolean(), (from, to, share) => {
      const fromGroups = distinct(from)
      // Half of the time the second set keeps the first group of the first.
      const first = fromGroups[0]
      const kept = share && first !== undefined ? [first] : []
      const keptNames = new Set(kept.flatMap((g) => (g.resources.get(CDS) as VersionedResource[]).map(({ name }) => name)))
      const others = distinct(to.map((part) => Object.fromEntries(Object.entries(part).filter(([name]) => !keptNames.has(name)))))
      const before = viewOf(...fromGroups)
      const after = viewOf(...kept, ...others)
      const { changed, removed } = diffViews(before, after)
      const result = new Map([...before.resources()].map(({ name, version }) => [name, version]))
      for (const name of removed) expect(result.delete(name)).toBe(true)
      for (const name of changed) {
        expect(result.get(name)).not.toBe(after.get(name)?.version)
        result.set(name, after.get(name)!.version)
      }
      expect(result).toEqual(new Map([...after.resources()].map(({ name, version }) => [name, version])))
      expect(new Set(changed).size).toBe(changed.length)
    }),
    { numRuns: 2_000 },
  )
})
