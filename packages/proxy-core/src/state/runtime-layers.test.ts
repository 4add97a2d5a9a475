import { fail, ok, problem } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { createRuntime } from '../runtime.js'
import type { ReceivedUpdate } from '../xds/protocol.js'
import { RUNTIME_TYPE_URL, withRuntimeLayers } from './runtime-layers.js'

const update = (change: Partial<ReceivedUpdate>): ReceivedUpdate => ({
  ...{ typeUrl: RUNTIME_TYPE_URL, version: '1', nonce: '1', controlPlane: '', resources: [], removed: [] },
  ...change,
})
const resource = (name: string, layer: object): ReceivedUpdate['resources'][number] => ({
  name,
  version: '1',
  message: ok({ name, layer }),
})

describe('layers that come over RTDS', () => {
  const setUp = () => {
    const runtime = createRuntime([
      { name: 'static', values: { a: 1, b: 2 } },
      { name: 'live', resource: 'flags' },
      { name: 'admin', admin: true },
    ])
    const others: string[] = []
    const apply = withRuntimeLayers(runtime, ({ typeUrl }) => {
      others.push(typeUrl)
      return []
    })
    return { runtime, apply, others }
  }

  it('are whole: what a new version no longer says holds no more', async () => {
    const { runtime, apply } = setUp()
    expect(runtime.discovered).toEqual(['flags'])
    expect(await apply(update({ resources: [resource('flags', { a: 10, c: { d: true } })] }))).toEqual([])
    expect([runtime.number('a'), runtime.number('b'), runtime.boolean('c.d')]).toEqual([10, 2, true])
    await apply(update({ resources: [resource('flags', { b: 20 })] }))
    expect([runtime.number('a'), runtime.number('b'), runtime.boolean('c.d')]).toEqual([1, 20, undefined])
    await apply(update({ removed: ['flags'] }))
    expect(runtime.number('b')).toBe(2)
  })

  it('give way to what the admin page says, and are shown in their place', async () => {
    const { runtime, apply } = setUp()
    await apply(update({ resources: [resource('flags', { a: 10 })] }))
    runtime.modify(new Map([['a', '11']]))
    expect(runtime.number('a')).toBe(11)
    expect(runtime.layers).toEqual(['static', 'live', 'admin'])
    expect(runtime.entries()[0]).toEqual(['a', ['1', '10', '11']])
  })

  it('are refused when nobody asked for them or they cannot be read, and the last good ones stay', async () => {
    const { runtime, apply, others } = setUp()
    await apply(update({ resources: [resource('flags', { a: 10 })] }))
    const broken = { name: 'flags', version: '2', message: fail(problem('xds.decode', 'layer', 'is broken.')) }
    const rejections = await apply(update({ resources: [broken, resource('strange', {})] }))
    expect(rejections.map(({ name }) => name)).toEqual(['flags', 'strange'])
    expect(runtime.number('a')).toBe(10)
    await apply(update({ typeUrl: 'other' }))
    expect(others).toEqual(['other'])
  })
})
