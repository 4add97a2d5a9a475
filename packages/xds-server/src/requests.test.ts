import { describe, expect, test } from 'vitest'
import { CDS, testServer, VARIANTS } from './fake-client.test-suite.js'

describe.each(VARIANTS)('%s', (variant) => {
  test('a node without an id is let in when the server says so (line 2)', () => {
    const { give, open, cache } = testServer({ nodesWithoutId: true })
    give({})
    cache.set('', { groups: [{ id: 'all', resources: new Map([[CDS, [{ name: 'a' }]]]) }] })
    const stream = open(variant, {})
    stream.ask(CDS, [])
    expect(stream.take()).toEqual(['Cluster a'])
  })

  test('the legacy wildcard can be switched off, by type and node: an empty list is then nothing (line 32)', () => {
    const { give, open } = testServer({
      wildcardWhenEmpty: (_, node) => (node.user_agent_name?.startsWith('gRPC') ? false : undefined),
    })
    give({ [CDS]: [{ name: 'a' }] })
    const [grpc, envoy] = [open(variant, { id: 'n', user_agent_name: 'gRPC Go' }), open(variant)]
    for (const stream of [grpc, envoy]) stream.ask(CDS, [])
    expect(grpc.take()).toEqual([])
    expect(envoy.take()).toEqual(['Cluster a'])
  })

  const field = variant === 'sotw' ? 'resource_locators' : 'resource_locators_subscribe'

  test('a locator without parameters is a name (line 50)', () => {
    const { give, open } = testServer()
    give({ [CDS]: [{ name: 'a' }, { name: 'b' }] })
    const stream = open(variant)
    stream.ask(CDS, [], { [field]: [{ name: 'a' }] })
    expect(stream.take()).toEqual(['Cluster a'])
  })

  test('a locator with parameters is refused by name, and not taken for the wildcard (line 50)', () => {
    const { give, open } = testServer()
    give({ [CDS]: [{ name: 'a' }] })
    const stream = open(variant)
    stream.ask(CDS, [], { [field]: [{ name: 'a', dynamic_parameters: { env: 'prod' } }] })
    expect(stream.take()).toEqual([])
    expect(stream.closed).toEqual([{ code: 3, message: expect.stringContaining('dynamic parameters are not supported') }])
  })
})
