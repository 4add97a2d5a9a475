import { describe, expect, it } from 'vitest'
import { createRuntime } from '../runtime.js'
import type { AdminActions, AdminViews } from './page.js'
import { runtime, runtimeModify } from './runtime-pages.js'

const views = (adminLayer?: string): AdminViews =>
  ({
    runtime: createRuntime([
      { name: 'static', values: { a: { b: 1 } } },
      ...(adminLayer === undefined ? [] : [{ name: adminLayer, admin: true as const }]),
    ]),
  }) as AdminViews
const shown = (of: AdminViews): unknown => JSON.parse(runtime.answer(new URLSearchParams(), of, {} as AdminActions).body)
const modify = (of: AdminViews, query: string) => runtimeModify.answer(new URLSearchParams(query), of, {} as AdminActions)

describe('runtime', () => {
  it('is shown by layer, and what holds in the end', () => {
    const own = views('admin')
    expect(modify(own, 'a.b=2&c=true')).toMatchObject({ status: 200, body: 'OK\n' })
    expect(shown(own)).toEqual({
      layers: ['static', 'admin'],
      entries: {
        'a.b': { layer_values: ['1', '2'], final_value: '2' },
        c: { layer_values: ['', 'true'], final_value: 'true' },
      },
    })
    modify(own, 'a.b=')
    expect(shown(own)).toMatchObject({ entries: { 'a.b': { final_value: '1' } } })
  })

  it('cannot be changed without an admin layer, or with nothing', () => {
    expect(modify(views(), 'a=1')).toMatchObject({ status: 503, body: 'No admin layer specified' })
    expect(modify(views('admin'), '').status).toBe(400)
  })
})
