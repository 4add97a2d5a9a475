import { describe, expect, test } from 'vitest'
import { CDS, EDS, LEDS, testServer, VARIANTS } from './fake-client.test-suite.js'
import { collectionOf, isCollection } from './resource-name.js'

// Line 49: `xdstp://…/*` asks for all that is in a folder.
const name = (path: string): string => `xdstp://heddle/envoy.config.cluster.v3.Cluster/${path}`
const clusters = (...paths: string[]): { [type: string]: object[] } => ({ [CDS]: paths.map((path) => ({ name: name(path) })) })

test.each([
  ['a/b', 'a/*', true],
  ['a/b?x=1', 'a/*?x=1', true],
  ['a/b', 'a/*?x=1', false],
  ['a/b?x=1', 'a/*', false],
  ['a/b/c', 'a/*', false],
  ['b', '*', true],
])('%s in %s: %s', (path, collection, expected) => {
  expect(isCollection(name(collection))).toBe(true)
  expect(collectionOf(name(path)) === name(collection)).toBe(expected)
})

test('a name of the old form is no collection, whatever it ends with', () => expect(isCollection('a/*')).toBe(false))

describe.each(VARIANTS)('%s', (variant) => {
  const line = (...paths: string[]): string =>
    ['Cluster', ...paths.map((path) => (path.startsWith('-') ? `-${name(path.slice(1))}` : name(path)))].join(' ')

  test('a folder is sent whole, then what comes and goes in it', () => {
    const { give, open } = testServer()
    give(clusters('a/1', 'a/2', 'b/1'))
    const stream = open(variant)
    stream.ask(CDS, [name('a/*')])
    expect(stream.take()).toEqual([line('a/1', 'a/2')])
    stream.ack(CDS)
    give(clusters('a/1', 'a/3', 'b/2'))
    expect(stream.take()).toEqual([variant === 'sotw' ? line('a/1', 'a/3') : line('a/3', '-a/2')])
    stream.ack(CDS)
    give(clusters('a/1', 'a/3', 'b/3'))
    expect(stream.take()).toEqual([])
  })
})

test('Delta: an empty folder is told, and filled later', () => {
  const { give, open } = testServer()
  give(clusters())
  const stream = open('delta')
  stream.ask(CDS, [name('a/*')])
  expect(stream.take()).toEqual([`Cluster -${name('a/*')}`])
  stream.ack(CDS)
  give(clusters('a/1'))
  expect(stream.take()).toEqual([`Cluster ${name('a/1')}`])
})

test('Delta: a folder asked for again is sent again', () => {
  const { give, open } = testServer()
  give(clusters('a/1'))
  const stream = open('delta')
  stream.ask(CDS, [name('a/*')])
  stream.ack(CDS)
  stream.take()
  stream.ask(CDS, [name('a/*')])
  expect(stream.take()).toEqual([`Cluster ${name('a/1')}`])
})

test('LEDS: endpoints of a locality come one by one, and again with a changed assignment', () => {
  const collection = 'xdstp://heddle/envoy.config.endpoint.v3.LbEndpoint/shop/*'
  const endpoint = (id: string, port: number): object => ({
    '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
    name: collection.replace('*', id),
    resource: { '@type': LEDS, endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: port } } } },
  })
  const assignment = (priority: number): object => ({
    cluster_name: 'shop',
    endpoints: [{ priority, leds_cluster_locality_config: { leds_config: { ads: {} }, leds_collection_name: collection } }],
  })
  const { give, open } = testServer()
  give({ [EDS]: [assignment(0)], [LEDS]: [endpoint('a', 1), endpoint('b', 2)] })
  const stream = open('delta')
  stream.ask(EDS, ['shop'])
  stream.ack(EDS)
  stream.ask(LEDS, [collection])
  stream.ack(LEDS)
  stream.take()
  give({ [EDS]: [assignment(0)], [LEDS]: [endpoint('a', 1), endpoint('b', 3)] })
  expect(stream.take()).toEqual(['LbEndpoint xdstp://heddle/envoy.config.endpoint.v3.LbEndpoint/shop/b'])
  stream.ack(LEDS)
  give({ [EDS]: [assignment(1)], [LEDS]: [endpoint('a', 1), endpoint('b', 3)] })
  expect(stream.take().map((sent) => sent.split(' ').length)).toEqual([2, 3])
})
