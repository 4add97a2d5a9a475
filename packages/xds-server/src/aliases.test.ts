import { expect, test } from 'vitest'
import { RDS, testServer, VHDS } from './fake-client.test-suite.js'

// Lines 33, 47, 74: virtual hosts on demand.
const host = (name: string, aliases: readonly string[], timeout = '1s'): object => ({
  '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
  name: `routes/${name}`,
  aliases: aliases.map((alias) => `routes/${alias}`),
  resource: { '@type': VHDS, name, domains: aliases, routes: [{ match: { prefix: '/' }, route: { cluster: name, timeout } }] },
})
const routes = (name: string, comment = ''): object => ({
  name,
  vhds: { config_source: { ads: {} } },
  response_headers_to_remove: [`x${comment}`],
})

test('an empty first request of hosts is answered, with nothing: what is asked for comes by name', () => {
  const { give, open } = testServer()
  give({ [VHDS]: [host('shop', ['shop.local'])] })
  const stream = open('delta')
  stream.ask(VHDS, [])
  expect(stream.take()).toEqual(['VirtualHost'])
  stream.ack(VHDS)
  expect(stream.take()).toEqual([])
})

test('an option gives a node its hosts at once: the wildcard is the resolver of the server (line 33)', () => {
  const { give, open } = testServer({
    wildcardWhenEmpty: (typeUrl, node) => (typeUrl === VHDS ? node.cluster === 'edge' : undefined),
  })
  give({ [VHDS]: [host('shop', ['shop.local'])] })
  const [edge, other] = [open('delta', { id: 'n', cluster: 'edge' }), open('delta')]
  edge.ask(VHDS, [])
  other.ask(VHDS, [])
  expect(edge.take()).toEqual(['VirtualHost routes/shop=routes/shop.local'])
  expect(other.take()).toEqual(['VirtualHost'])
})

test('who asks for an alias gets the resource, once, and its changes, and hears when it goes', () => {
  const { give, open } = testServer()
  give({ [VHDS]: [host('shop', ['shop.local', 'shop']), host('bank', ['bank'])] })
  const stream = open('delta')
  stream.ask(VHDS, ['routes/shop', 'routes/shop.local'])
  expect(stream.take()).toEqual(['VirtualHost routes/shop=routes/shop.local=routes/shop'])
  stream.ack(VHDS)
  give({ [VHDS]: [host('shop', ['shop.local', 'shop'], '2s'), host('bank', ['bank'], '2s')] })
  expect(stream.take()).toEqual(['VirtualHost routes/shop=routes/shop.local=routes/shop'])
  stream.ack(VHDS)
  give({ [VHDS]: [host('bank', ['bank'], '3s')] })
  expect(stream.take()).toEqual(['VirtualHost -routes/shop'])
})

test('an alias that moves to another resource is followed', () => {
  const { give, open } = testServer()
  give({ [VHDS]: [host('old', ['shop.local']), host('new', ['new.local'])] })
  const stream = open('delta')
  stream.ask(VHDS, ['routes/shop.local'])
  stream.take()
  stream.ack(VHDS)
  give({ [VHDS]: [host('old', ['old.local']), host('new', ['shop.local'])] })
  expect(stream.take()).toEqual(['VirtualHost routes/new=routes/shop.local routes/old=routes/old.local'])
})

test('an unknown host is answered with a resource without a body, and is sent when it comes into being', () => {
  const { give, open } = testServer()
  give({ [VHDS]: [] })
  const stream = open('delta')
  stream.ask(VHDS, ['routes/nobody'])
  expect(stream.take()).toEqual(['VirtualHost ~routes/nobody=routes/nobody'])
  stream.ack(VHDS)
  give({ [VHDS]: [host('late', ['nobody'])] })
  expect(stream.take()).toEqual(['VirtualHost routes/late=routes/nobody'])
})

test('new routes drop the hosts that a client had: they are sent again (line 66)', () => {
  const { give, open } = testServer()
  const hosts = [host('shop', ['shop.local']), host('bank', ['bank'])]
  give({ [RDS]: [routes('routes')], [VHDS]: hosts })
  const stream = open('delta')
  stream.ask(RDS, ['routes'])
  stream.ack(RDS)
  stream.ask(VHDS, ['routes/shop.local'])
  stream.ack(VHDS)
  stream.take()
  give({ [RDS]: [routes('routes', '1')], [VHDS]: hosts })
  expect(stream.take()).toEqual(['RouteConfiguration routes', 'VirtualHost routes/shop=routes/shop.local'])
})
