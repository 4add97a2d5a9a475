import { expect, it } from 'vitest'
import { FILTER_DISABLED } from '../config/per-filter-config.js'
import type { RouteDecision } from './decision.js'
import { perRouteConfigOf, perRouteConfigsOf } from './per-route-config.js'
import type { RouteTable } from './table.js'

const level = (config: unknown) => ({ perFilterConfig: new Map(config === undefined ? [] : [['f', config]]) })

it.each<[string, unknown[], unknown]>([
  ['forward', ['cluster', 'route', 'vhost', 'table'], 'cluster'],
  ['reply', ['route', 'vhost', 'table'], 'route'],
  ['none', [], 'vhost'],
])('all levels of a decision: %s', (kind, all, first) => {
  const decision = {
    kind,
    target: level('cluster'),
    route: level('route'),
    virtualHost: level('vhost'),
  } as unknown as RouteDecision
  const table = level('table') as unknown as RouteTable
  expect(perRouteConfigsOf(decision, table, 'f')).toEqual(all)
  expect(perRouteConfigOf(decision, table, 'f')).toBe(first)
  expect(perRouteConfigsOf(decision, table, 'g')).toEqual([])
})

it('a level where the filter is off, and one that says nothing, are left out', () => {
  const decision = {
    ...{ kind: 'forward', target: level(undefined), route: level('route'), virtualHost: level(FILTER_DISABLED) },
  } as unknown as RouteDecision
  expect(perRouteConfigsOf(decision, undefined, 'f')).toEqual(['route'])
})
