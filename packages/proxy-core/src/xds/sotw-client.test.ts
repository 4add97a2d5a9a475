import { fail, ok, problem } from '@heddle/runtime'
import type { SotwResponse } from '@heddle/xds-types/discovery'
import { describe, expect, it } from 'vitest'
import { createSotwClient } from './sotw-client.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const EDS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const client = () =>
  createSotwClient({
    decode: (_, value) =>
      decoder.decode(value) === 'bad' ? fail(problem('test.bad', '', 'it is bad')) : ok({ name: decoder.decode(value) }),
    nameOf: (_, message) => (message as { name: string }).name,
    isFullState: (typeUrl) => typeUrl === CDS,
  })

const response = (typeUrl: string, version: string, nonce: string, names: string[]): SotwResponse => ({
  typeUrl,
  version,
  nonce,
  resources: names.map((name) => encoder.encode(name)),
  controlPlane: '',
})

describe('the state of the world', () => {
  it('repeats all names and the last version and nonce with every change', () => {
    const sotw = client()
    sotw.subscribe(EDS, ['a'], [])
    expect(sotw.open()).toEqual([{ type_url: EDS, resource_names: ['a'] }])
    const update = sotw.receive(response(EDS, '1', 'n1', ['a']))!
    expect(sotw.acknowledge(update, [])).toEqual([
      { type_url: EDS, version_info: '1', resource_names: ['a'], response_nonce: 'n1' },
    ])
    expect(sotw.subscribe(EDS, ['b'], [])).toEqual([
      { type_url: EDS, version_info: '1', resource_names: ['a', 'b'], response_nonce: 'n1' },
    ])
    expect(sotw.subscribe(EDS, ['b'], [])).toEqual([])
    expect(sotw.subscribe(EDS, [], ['a', 'b'])).toEqual([{ type_url: EDS, version_info: '1', response_nonce: 'n1' }])
  })

  it('refuses with the version of the last good response (line 92)', () => {
    const sotw = client()
    sotw.subscribeAll(CDS)
    sotw.open()
    sotw.acknowledge(sotw.receive(response(CDS, '1', 'n1', ['a', 'b']))!, [])
    const update = sotw.receive(response(CDS, '2', 'n2', ['a', 'c']))!
    expect(sotw.acknowledge(update, [{ name: 'c', message: 'no' }])).toEqual([
      { type_url: CDS, version_info: '1', response_nonce: 'n2', error_detail: { code: 3, message: 'c: no' } },
    ])
  })

  it('tells what a full state no longer holds, but not of partial types', () => {
    const sotw = client()
    sotw.subscribeAll(CDS)
    sotw.subscribe(EDS, ['a', 'b'], [])
    sotw.open()
    for (const type of [CDS, EDS]) sotw.acknowledge(sotw.receive(response(type, '1', 'n1', ['a', 'b']))!, [])
    expect(sotw.receive(response(CDS, '2', 'n2', ['b']))?.removed).toEqual(['a'])
    expect(sotw.receive(response(EDS, '2', 'n2', ['b']))?.removed).toEqual([])
  })

  it('removes nothing while a nameless broken resource may be the one that is missing', () => {
    const sotw = client()
    sotw.subscribeAll(CDS)
    sotw.open()
    sotw.acknowledge(sotw.receive(response(CDS, '1', 'n1', ['a', 'b']))!, [])
    expect(sotw.receive(response(CDS, '2', 'n2', ['b', 'bad']))?.removed).toEqual([])
  })

  it('keeps the version over streams, and no nonce, not even of an answer that comes late (line 95)', () => {
    const sotw = client()
    sotw.subscribeAll(CDS)
    sotw.open()
    const update = sotw.receive(response(CDS, '1', 'n1', ['a']))!
    sotw.close()
    sotw.acknowledge(update, [])
    expect(sotw.open()).toEqual([{ type_url: CDS, version_info: '1' }])
  })
})
