import { fail, ok, problem } from '@heddle/runtime'
import type { DeltaResponse } from '@heddle/xds-types/discovery'
import { describe, expect, it } from 'vitest'
import { createDeltaClient } from './delta-client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
const LDS = 'type.googleapis.com/envoy.config.listener.v3.Listener'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** Resources of the tests are their own text; `bad` does not decode. */
const client = () =>
  createDeltaClient((_, value) =>
    decoder.decode(value) === 'bad' ? fail(problem('test.bad', 'a.b', 'it is bad')) : ok({ is: decoder.decode(value) }),
  )

const resource = (name: string, version: string, text: string | undefined = name) => ({
  name,
  version,
  value: text === '' ? undefined : encoder.encode(text),
  aliases: [] as string[],
  ttl: undefined,
})

function response(
  typeUrl: string,
  nonce: string,
  resources: ReturnType<typeof resource>[],
  removed: string[] = [],
): DeltaResponse {
  return { typeUrl, systemVersion: `v-${nonce}`, nonce, resources, removed, controlPlane: 'cp' }
}

describe('subscriptions', () => {
  it('sends nothing before a stream is open, then each type once, clusters first', () => {
    const delta = client()
    expect(delta.subscribeAll(LDS)).toEqual([])
    expect(delta.subscribe(EDS, ['b', 'a', 'a'], [])).toEqual([])
    expect(delta.subscribeAll(CDS)).toEqual([])
    expect(delta.open()).toEqual([{ type_url: CDS }, { type_url: EDS, resource_names_subscribe: ['b', 'a'] }, { type_url: LDS }])
  })

  it.each([
    { title: 'a new name', add: ['c'], drop: [], want: [{ type_url: EDS, resource_names_subscribe: ['c'] }] },
    { title: 'a name that is there already', add: ['a'], drop: [], want: [] },
    {
      title: 'a name that nobody wants any more',
      add: [],
      drop: ['a'],
      want: [{ type_url: EDS, resource_names_unsubscribe: ['a'] }],
    },
    { title: 'a name that never was', add: [], drop: ['x'], want: [] },
    {
      title: 'one for another',
      add: ['c'],
      drop: ['b'],
      want: [{ type_url: EDS, resource_names_subscribe: ['c'], resource_names_unsubscribe: ['b'] }],
    },
  ])('$title', ({ add, drop, want }) => {
    const delta = client()
    delta.subscribe(EDS, ['a', 'b'], [])
    delta.open()
    expect(delta.subscribe(EDS, add, drop)).toEqual(want)
  })

  it('spells the wildcard out beside names', () => {
    const delta = client()
    delta.subscribeAll(CDS)
    delta.subscribe(CDS, ['extra'], [])
    expect(delta.open()).toEqual([{ type_url: CDS, resource_names_subscribe: ['*', 'extra'] }])
  })

  it('asks for a type without names, once a stream, and for names beside', () => {
    const delta = client()
    expect(delta.begin(EDS)).toEqual([])
    expect(delta.open()).toEqual([{ type_url: EDS }])
    expect(delta.begin(EDS)).toEqual([])
    expect(delta.subscribe(EDS, ['a'], [])).toEqual([{ type_url: EDS, resource_names_subscribe: ['a'] }])
  })

  it('asks for a first name on an open stream without versions or nonce', () => {
    const delta = client()
    delta.open()
    expect(delta.subscribe(EDS, ['a'], [])).toEqual([{ type_url: EDS, resource_names_subscribe: ['a'] }])
  })
})

describe('answers', () => {
  it('acknowledges with the nonce and nothing else', () => {
    const delta = client()
    delta.subscribeAll(CDS)
    delta.open()
    const update = delta.receive(response(CDS, 'n1', [resource('a', '1')]))!
    expect(update.resources).toMatchObject([{ name: 'a', version: '1', message: { ok: true, value: { is: 'a' } } }])
    expect(delta.acknowledge(update, [])).toEqual([{ type_url: CDS, response_nonce: 'n1' }])
  })

  it('refuses by name and reason, and keeps the version of the last good one (line 92)', () => {
    const delta = client()
    delta.subscribeAll(CDS)
    delta.open()
    delta.acknowledge(delta.receive(response(CDS, 'n1', [resource('a', '1'), resource('b', '1')]))!, [])
    const update = delta.receive(response(CDS, 'n2', [resource('a', '2', 'bad'), resource('b', '2')]))!
    expect(update.resources[0]?.message.ok).toBe(false)
    expect(delta.acknowledge(update, [{ name: 'a', message: 'a.b: it is bad' }])).toEqual([
      { type_url: CDS, response_nonce: 'n2', error_detail: { code: 3, message: 'a: a.b: it is bad' } },
    ])
    delta.close()
    expect(delta.open()).toEqual([{ type_url: CDS, initial_resource_versions: { a: '1', b: '2' } }])
  })

  it('leaves types alone that nobody subscribed', () => {
    expect(client().receive(response(EDS, 'n1', [resource('a', '1')]))).toBeUndefined()
  })

  it('tells which names stand for nothing, and the other names of what there is', () => {
    const delta = client()
    delta.subscribe(EDS, ['a', 'b'], [])
    delta.open()
    const named = { ...resource('c', '1'), aliases: ['a'] }
    const update = delta.receive(response(EDS, 'n1', [named, { ...resource('b', '', ''), aliases: ['b'] }]))
    expect(update).toMatchObject({ resources: [{ name: 'c', aliases: ['a'] }], absent: ['b'] })
  })

  it('skips heartbeats', () => {
    const delta = client()
    delta.subscribeAll(CDS)
    delta.open()
    expect(delta.receive(response(CDS, 'n1', [resource('a', '1', '')]))?.resources).toEqual([])
  })
})

describe('another stream', () => {
  it('brings names and versions along, without what was removed or dropped (line 95)', () => {
    const delta = client()
    delta.subscribe(EDS, ['a', 'b', 'c'], [])
    delta.open()
    delta.acknowledge(delta.receive(response(EDS, 'n1', [resource('a', '1'), resource('b', '1'), resource('c', '1')]))!, [])
    delta.acknowledge(delta.receive(response(EDS, 'n2', [], ['b']))!, [])
    delta.subscribe(EDS, [], ['c'])
    delta.close()
    expect(delta.open()).toEqual([{ type_url: EDS, resource_names_subscribe: ['a', 'b'], initial_resource_versions: { a: '1' } }])
  })
})
