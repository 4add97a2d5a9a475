import { ok, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import type { ScopedRouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { expect, it } from 'vitest'
import { compileScope } from '../config/scoped-routes.js'
import type { RouteTable } from '../route/table.js'
import { testDeps } from '../testing.js'
import { createAwaited } from './awaited.js'
import { createNamedValues } from './named-values.js'
import { needOf } from './needs.js'
import { createScopeSet } from './scope-set.js'
import { storeTypes } from './types.js'

const RDS = storeTypes.route.typeUrl

function setUp() {
  const clock = createFakeClock()
  const held = new Map<string, string>()
  const routes = createNamedValues<RouteTable>()
  const set = createScopeSet({
    ...{ type: storeTypes.scope, clock, logger: silentLogger, timeoutMs: 15_000 },
    compile: (message) => compileScope(message, testDeps(), ''),
    needs: (refs) => refs.flatMap((ref) => needOf(ref, { [RDS]: routes }, {})),
    hold: (owner, refs) => void (refs[0] === undefined ? held.delete(owner) : held.set(owner, refs[0].name)),
    routes: createAwaited(routes, clock, 15_000),
  })
  const update = (messages: readonly ScopedRouteConfiguration[], removed: readonly string[] = []) =>
    set.apply(
      {
        ...{ typeUrl: storeTypes.scope.typeUrl, version: '', nonce: 'n', removed, controlPlane: '' },
        resources: messages.map((message) => ({ name: message.name ?? '', version: '1', message: ok(message) })),
      },
      ({ resources, removed }) => {
        for (const name of removed) set.set.remove(name)
        for (const { name, message } of resources) if (message.ok) void set.set.apply(name, '1', message.value)
        return []
      },
    )
  const wanted = (): string[] => [...new Set(held.values())]
  const keys = (): string[] => [...set.scopes.current].map(([key, { name }]) => `${key}=${name}`)
  return { set, update, wanted, keys, arrive: (name: string) => routes.set(name, {} as RouteTable) }
}

const scope = (name: string, key: string, more: object = { route_configuration_name: name }): ScopedRouteConfiguration => ({
  ...{ name, key: { fragments: [{ string_key: key }] } },
  ...more,
})

it('a scope is in force when its routes are, and listeners wait for the first ones', async () => {
  const { set, update, wanted, keys, arrive } = setUp()
  let settled = 0
  set.need.onSettled(() => settled++)
  await update([scope('a', 'k')])
  expect([wanted(), keys(), set.need.settled(), settled]).toEqual([['a'], [], false, 0])
  arrive('a')
  expect([keys(), set.need.settled(), settled]).toEqual([['"k"=a'], true, 1])
  await update([], ['a'])
  expect([keys(), wanted()]).toEqual([[], []])
})

it('one on demand is in force at once; its routes are asked for when they are wanted, and no longer than it is there', async () => {
  const { set, update, wanted, keys, arrive } = setUp()
  await update([scope('lazy', 'k', { on_demand: true, route_configuration_name: 'r' })])
  expect([keys(), wanted(), set.need.settled()]).toEqual([['"k"=lazy'], [], true])
  const lazy = set.scopes.current.get('"k"')!
  expect(set.isActive(lazy)).toBe(false)
  const wait = set.demand(lazy)
  expect([wanted(), set.isActive(lazy)]).toEqual([['r'], true])
  arrive('r')
  await wait
  expect(set.demand(lazy)).toBeUndefined()
  await update([], ['lazy'])
  expect(wanted()).toEqual([])
})

it('two scopes with one key: the second is refused by name; keys may change places in one response', async () => {
  const { update, keys, arrive } = setUp()
  for (const name of ['a', 'b', 'c']) arrive(name)
  await update([scope('a', '1'), scope('b', '2')])
  expect(await update([scope('c', '1')])).toEqual([
    { name: 'c', message: 'key: the scope a has this key, too [srds.key_conflict]' },
  ])
  expect(await update([scope('a', '2'), scope('b', '1')])).toEqual([])
  expect(keys().sort()).toEqual(['"1"=b', '"2"=a'])
})
