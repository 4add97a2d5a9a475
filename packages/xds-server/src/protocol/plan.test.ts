import { ok } from '@heddle/runtime'
import { expect, test } from 'vitest'
import { createViews, restrictView, type TypeView } from '../resource-view.js'
import { createClientKnowledge } from './client-knowledge.js'
import { planBetween } from './plan.js'

const TYPE = 'type.googleapis.com/x.Y'
const views = createViews((_, resource) => ok(resource as never))
/** `a1 b2`: the resource a in version 1, b in version 2. */
const viewOf = (text: string): TypeView => {
  const resources = text.split(' ').map(([name = '', version = '']) => ({ name, version, bytes: new Uint8Array(1) }))
  return views({ groups: [{ id: text, resources: new Map([[TYPE, resources]]) }] }).type(TYPE)
}
const [before, after] = [viewOf('a1 b1 c1'), viewOf('a2 b1 d1')]

test('what leads from one view to another is worked out once', () => {
  const plan = planBetween(before, after)
  expect([[...plan.changed.keys()], [...plan.removed]]).toEqual([['a', 'd'], ['c']])
  expect(planBetween(before, after)).toBe(plan)
  expect(planBetween(after, viewOf('a2 b1 d1')).resources).toEqual([])
})

test('for a client that may not see all of it, it is worked out anew and kept for nobody', () => {
  const own = (): TypeView => restrictView(after, (name) => name !== 'd')
  const view = own()
  expect([...planBetween(before, view).changed.keys()]).toEqual(['a'])
  expect(planBetween(before, view)).not.toBe(planBetween(before, view))
  expect([...planBetween(before, after).changed.keys()]).toEqual(['a', 'd'])
})

test('clients that ask for all of it share it; one that asks for less, or has something of its own, gets its own', () => {
  const all = (): boolean => true
  const clientOf = () => {
    const knowledge = createClientKnowledge()
    knowledge.commit(before, new Set())
    return knowledge
  }
  expect(clientOf().plan(after, all)).toBe(planBetween(before, after))
  expect([
    ...clientOf()
      .plan(after, (name) => name === 'd')
      .changed.keys(),
  ]).toEqual(['d'])
  const asking = clientOf()
  asking.request(['b'])
  const plan = asking.plan(after, all)
  expect([[...plan.changed.keys()].sort(), [...plan.requested]]).toEqual([['a', 'b', 'd'], ['b']])
})
