import type { ScopedRoutes } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { describe, expect, it } from 'vitest'
import { head, testDeps } from '../testing.js'
import { compileMessage } from './fields.js'
import { compileScopedRoutes } from './scoped-routes.js'

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
    expect(compiled.value.tableOf(head('/', { 'x-scope': tenant, 'x-list': list }))?.name).toBe(name)
  })

  it('a header that is absent leads nowhere', () => {
    if (!compiled.ok) throw new Error('refused')
    expect(compiled.value.tableOf(head('/', { 'x-scope': 'tenant=one' }))).toBeUndefined()
  })

  it('tables by name and over the network are refused at their path', () => {
    const byName = { name: 'n', key: { fragments: [{ string_key: 'k' }] }, route_configuration_name: 'rc' }
    const refused = scopes([{ name: 'x' }], [byName])
    expect(refused.diagnostics.map(({ path }) => path)).toContain(
      's.scoped_route_configurations_list.scoped_route_configurations[0].route_configuration',
    )
  })
})
