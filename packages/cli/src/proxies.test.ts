import { expect, test } from 'vitest'
import { InputError, UsageError } from './command.js'
import { type ConnectedProxy, findProxy, proxyName } from './proxies.js'

const proxy = (node_id: string): ConnectedProxy => ({ node_id, cluster_id: 'k', proxy_version: '1', istiod: 'h', types: {} })
const ids = ['sidecar~10.0.0.1~a.shop~x', 'sidecar~10.0.0.2~a.other~x', 'router~10.0.0.3~edge.shop~x', 'plain']
const proxies = ids.map(proxy)

test.each([
  ['a.shop', ids[0]],
  ['shop/a', ids[0]],
  ['edge', ids[2]],
  [ids[1] as string, ids[1]],
  ['plain', 'plain'],
])('%s', (wanted, found) => expect(findProxy(proxies, wanted).node_id).toBe(found))

test('a name that several have is asked back, one that nobody has is told with those there are', () => {
  expect(() => findProxy(proxies, 'a')).toThrow(UsageError)
  expect(() => findProxy(proxies, 'b')).toThrow(InputError)
  expect(() => findProxy(proxies, 'b')).toThrow(/a\.other, a\.shop, edge\.shop, plain/)
  expect(() => findProxy([], 'b')).toThrow(/there is none/)
})

test('an id that is not of Istio’s form is its own name', () => expect(proxyName('a~b')).toBe('a~b'))
