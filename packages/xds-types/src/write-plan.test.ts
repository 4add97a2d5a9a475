import { expect, it } from 'vitest'
import type { RouteAction } from './gen/envoy/config/route/v3.js'
import { RouteAction as Action } from './gen/envoy/config/route/v3.js'

const hex = (value: RouteAction): string =>
  Array.from(Action.encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('')

it('objects of any order of keys have the same bytes, whatever was learned before', () => {
  const fields = {
    cluster: 'a',
    prefix_rewrite: '/',
    timeout: '1s',
    priority: 'HIGH',
    max_grpc_timeout: '2s',
    include_vh_rate_limits: true,
  } as const
  const wanted = hex(fields)
  const names = Object.keys(fields) as (keyof typeof fields)[]
  // More ways than are remembered, each of them twice.
  for (let round = 0; round < 2; round++)
    for (const order of permutations(names))
      expect(hex(Object.fromEntries(order.map((name) => [name, fields[name]])))).toBe(wanted)
  expect(Action.table.walks.size).toBeLessThan(1000)
})

it('two fields that exclude each other are refused again and again, and what is unset between them does not count', () => {
  const both = { cluster: 'a', timeout: '1s', cluster_header: 'b' } as unknown as RouteAction
  for (let i = 0; i < 3; i++) {
    expect(() => Action.encode(both)).toThrow("only one of 'cluster' and 'cluster_header' may be set (oneof cluster_specifier)")
    expect(hex({ ...both, cluster_header: undefined } as RouteAction)).toBe(hex({ cluster: 'a', timeout: '1s' }))
    expect(hex({ ...both, cluster: null } as unknown as RouteAction)).toBe(hex({ cluster_header: 'b', timeout: '1s' }))
  }
})

it('either spelling of a name leads to the field, but not both', () => {
  for (let i = 0; i < 3; i++) {
    expect(hex({ maxGrpcTimeout: '2s', cluster: 'a' } as unknown as RouteAction)).toBe(
      hex({ max_grpc_timeout: '2s', cluster: 'a' }),
    )
    expect(() => Action.encode({ maxGrpcTimeout: '2s', max_grpc_timeout: '2s' } as unknown as RouteAction)).toThrow(
      "'max_grpc_timeout' is given twice",
    )
  }
})

it('what a failed encoding has left does not show in the next', () => {
  const good = hex({ cluster: 'a' })
  expect(() => Action.encode({ cluster: 'a', retry_policy: { num_retries: 'x' } } as unknown as RouteAction)).toThrow(
    'retry_policy.num_retries: expected uint32',
  )
  expect(hex({ cluster: 'a' })).toBe(good)
})

function* permutations<T>(list: readonly T[]): Generator<readonly T[]> {
  if (list.length === 0) yield []
  for (const [i, item] of list.entries())
    for (const rest of permutations([...list.slice(0, i), ...list.slice(i + 1)])) yield [item, ...rest]
}
