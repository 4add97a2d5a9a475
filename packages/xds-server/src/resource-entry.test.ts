import { createWatch } from '@heddle/runtime'
import { describe, expect, test } from 'vitest'
import { CDS, EDS, setOf, testServer, VARIANTS } from './fake-client.test-suite.js'
import { muxWatches } from './mux-cache.js'

const wrap = (more: object, resource: object = { '@type': CDS, name: 'own' }): object => ({
  '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
  resource,
  ...more,
})

describe('a Resource around a message', () => {
  test('names it, in its one spelling', () => {
    const { give, open } = testServer()
    give({ [CDS]: [wrap({ name: 'xdstp://x/envoy.config.cluster.v3.Cluster/a?b=2&a=1' })] })
    const stream = open('delta')
    stream.ask(CDS, ['xdstp://x/envoy.config.cluster.v3.Cluster/a?a=1&b=2'])
    expect(stream.take()).toEqual(['Cluster xdstp://x/envoy.config.cluster.v3.Cluster/a?a=1&b=2'])
  })

  test.each([
    [{ name: 'a' }, { '@type': EDS, cluster_name: 'a' }, 'resource.@type', 'must hold'],
    [{ name: 'a', ttl: 'soon' }, undefined, 'ttl', 'no duration'],
    [{}, { '@type': CDS }, 'name', 'needs a name'],
  ])('%j around %j is refused', (more, resource, path, message) => {
    const { give, open, events } = testServer()
    give({ [CDS]: [wrap(more, resource)] })
    open('delta').ask(CDS, [])
    const [broken] = events.flatMap((event) => (event.kind === 'broken-resources' ? event.diagnostics : []))
    expect(broken).toMatchObject({ path, message: expect.stringContaining(message) })
  })

  test('gives it a version of the user, which decides: with the same version it is the same', () => {
    const { give, open } = testServer()
    give({ [CDS]: [wrap({ version: 'v1' })] })
    const stream = open('delta')
    stream.ask(CDS, [], { initial_resource_versions: { own: 'v1' } })
    expect(stream.take()).toEqual(['Cluster'])
    give({ [CDS]: [wrap({ version: 'v2' })] })
    stream.ack(CDS)
    expect(stream.take()).toEqual(['Cluster own'])
  })
})

describe.each(VARIANTS)('the version of a set, %s (lines 14, 24)', (variant) => {
  test('goes out as it is, and content decides what is sent', () => {
    const { give, open, server } = testServer()
    give({ [CDS]: [{ name: 'a' }] }, 'git-4711')
    const stream = open(variant)
    stream.ask(CDS, [])
    expect(stream.take()).toEqual(['Cluster a .. git-4711'])
    stream.ack(CDS)
    give({ [CDS]: [{ name: 'a' }] }, 'git-4712')
    expect(stream.take()).toEqual([])
    give({ [CDS]: [{ name: 'a' }, { name: 'b' }] }, 'git-4712')
    expect(stream.take()).toEqual([variant === 'sotw' ? 'Cluster a b .. git-4712' : 'Cluster b .. git-4712'])
    stream.ack(CDS)
    const [status] = server.status()
    expect(status?.types.get(CDS)?.inUse).toBe('git-4712')
  })
})

test('a mux has a version when all its parts have one', () => {
  const [one, two, three] = [createWatch(setOf({}, '1')), createWatch(setOf({}, '2')), createWatch(setOf({}))]
  expect(muxWatches([one, two]).current?.version).toBe('1+2')
  expect(muxWatches([one, three]).current?.version).toBeUndefined()
})
