import type { ScopedRoutes } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { describe, expect, it } from 'vitest'
import { scopeOf, tableOfScope } from '../route/scope.js'
import { head, testDeps } from '../testing.js'
import { compileMessage } from './fields.js'
import { compileScope, compileScopedRoutes } from './scoped-routes.js'

const scope = (name: string, ...parts: readonly string[]) => ({
  name,
  key: { fragments: parts.map((string_key) => ({ string_key })) },
  route_configuration: { name: `rc-${name}`, virtual_hosts: [{ name, domains: ['*'], routes: [] }] },
})

function scopes(fragments: readonly object[], configurations: readonly object[]) {
  const json = {
    name: 'scopes',
    scope_key_builder: { fragments: fragments.map((header_value_extractor) => ({ header_value_extractor })) },
    scoped_route_configurations_list: { scoped_route_configurations: configurations },
  }
  return compileMessage(json as unknown as ScopedRoutes, 's', (fields) => compileScopedRoutes(fields, testDeps()))
}

describe('scoped routes', () => {
  const element = { key: 'tenant', separator: '=' }
  const compiled = scopes(
    [
      { name: 'X-Scope', element_separator: ';', element },
      { name: 'x-list', element_separator: ',', index: 1 },
    ],
    [scope('one', 'one', 'b'), scope('two', 'two', 'b')],
  )

  it.each([
    ['a=b;tenant=one', 'a,b', 'rc-one'],
    ['tenant=two', 'a,b,c', 'rc-two'],
    ['tenant=two', 'a,c', undefined],
    ['tenant=three', 'a,b', undefined],
    ['tenant', 'a,b', undefined],
    ['other=one', 'a,b', undefined],
  ])('%s and %s: %s', (tenant, list, name) => {
    if (!compiled.ok) throw new Error('refused')
    const scope = scopeOf(compiled.value, head('/', { 'x-scope': tenant, 'x-list': list }), new Map())
    expect(tableOfScope(scope, () => undefined)?.name).toBe(name)
  })

  it('a header that is absent leads nowhere', () => {
    if (!compiled.ok) throw new Error('refused')
    expect(compiled.value.keyOf(head('/', { 'x-scope': 'tenant=one' }))).toBeUndefined()
  })

  it('what a list cannot have is refused at its path', () => {
    const byName = { name: 'n', key: { fragments: [{ string_key: 'k' }] }, route_configuration_name: 'rc' }
    const list = 's.scoped_route_configurations_list.scoped_route_configurations'
    const fragment = 's.scope_key_builder.fragments[0].header_value_extractor'
    for (const [fragments, configurations, path] of [
      [[{ name: 'x', index: 0 }], [byName], `${list}[0].route_configuration_name`],
      [[{ name: 'x', index: 0 }], [{ ...scope('n', 'k'), key: {} }], `${list}[0].key`],
      [[{ name: 'x' }], [scope('n', 'k')], fragment],
      [[{ name: 'x', index: 1 }], [scope('n', 'k')], `${fragment}.index`],
    ] as const)
      expect(scopes(fragments, configurations).diagnostics.map(({ path }) => path)).toContain(path)
  })

  it('scopes of SRDS have routes of their own or the name of some, one of them', () => {
    const key = { fragments: [{ string_key: 'a' }, { string_key: 'b' }] }
    const of = (more: object) => compileScope({ name: 'n', key, ...more } as never, testDeps(), '')
    const named = of({ on_demand: true, route_configuration_name: 'rc' })
    expect(named).toMatchObject({ ok: true, value: { key: '"a","b"', onDemand: true, routes: { kind: 'rds', name: 'rc' } } })
    const { route_configuration } = scope('n', 'k')
    expect(of({ route_configuration })).toMatchObject({ ok: true, value: { onDemand: false, routes: { kind: 'inline' } } })
    expect(of({}).ok).toBe(false)
    expect(of({ route_configuration, route_configuration_name: 'rc' }).ok).toBe(false)
  })
})
