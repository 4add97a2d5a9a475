import { describe, expect, test } from 'vitest'
import { createLookupTable } from './lookup-table.js'
import { parseResolvConf } from './resolv-conf.js'

const kubernetes = (shortname: string, namespace: string, ...ips: string[]) => ({
  ips,
  registry: 'Kubernetes',
  shortname,
  namespace,
})
const TABLE = {
  'tea.shop.svc.cluster.local': kubernetes('tea', 'shop', '10.0.0.1', 'fd00::1'),
  'cake.bakery.svc.cluster.local': kubernetes('cake', 'bakery', '10.0.0.2'),
  'far.shop.svc.other.domain': kubernetes('far', 'shop', '10.0.0.3'),
  'db.example': { ips: ['240.240.0.1'], registry: 'External' },
  '*.wild.example': { ips: ['10.9.0.1'], registry: 'External' },
  '*.deep.wild.example': { ips: ['10.9.0.2'], registry: 'External' },
  'Upper.Example': { ips: ['10.0.0.4'] },
  'range.example': { ips: ['10.0.0.0/8'] },
}
const table = createLookupTable(
  { table: TABLE },
  { namespace: 'shop', domain: 'shop.svc.cluster.local', search: ['shop.svc.cluster.local', 'svc.cluster.local'] },
)

test.each<[string, readonly string[] | undefined]>([
  ['tea', ['10.0.0.1']],
  ['tea.shop', ['10.0.0.1']],
  ['tea.shop.svc', ['10.0.0.1']],
  ['tea.shop.svc.cluster.local', ['10.0.0.1']],
  ['cake', undefined],
  ['cake.bakery', ['10.0.0.2']],
  ['cake.bakery.svc', ['10.0.0.2']],
  ['far', undefined],
  ['far.shop', undefined],
  ['far.shop.svc.other.domain', ['10.0.0.3']],
  ['db.example', ['240.240.0.1']],
  ['a.wild.example', ['10.9.0.1']],
  ['a.b.wild.example', ['10.9.0.1']],
  ['a.deep.wild.example', ['10.9.0.2']],
  ['wild.example', undefined],
  ['upper.example', ['10.0.0.4']],
  ['range.example', undefined],
  ['nobody.example', undefined],
])('%s has %j', (host, addresses) => {
  expect(table.lookup(host, 'A')).toEqual(addresses && { addresses })
})

test('a host without addresses of a family is there all the same', () => {
  expect(table.lookup('tea', 'AAAA')).toEqual({ addresses: ['fd00::1'] })
  expect(table.lookup('db.example', 'AAAA')).toEqual({ addresses: [] })
})

describe('what a resolver makes of a name with the first search domain', () => {
  test.each([
    ['db.example', '240.240.0.1'],
    ['cake.bakery', '10.0.0.2'],
    ['x.wild.example', '10.9.0.1'],
  ])('%s leads to it', (cname, address) =>
    expect(table.lookup(`${cname}.shop.svc.cluster.local`, 'A')).toEqual({ cname, addresses: [address] }),
  )

  test('a real name counts before it', () =>
    expect(table.lookup('tea.shop.svc.cluster.local', 'A')).toEqual({ addresses: ['10.0.0.1'] }))

  test('other search domains do not', () => expect(table.lookup('db.example.svc.cluster.local', 'A')).toBeUndefined())
})

test('a proxy of another domain gives no short names', () => {
  const other = createLookupTable({ table: TABLE }, { namespace: 'shop', domain: 'shop.svc.other.domain', search: [] })
  expect(other.lookup('tea.shop', 'A')).toBeUndefined()
  expect(other.lookup('far.shop', 'A')).toEqual({ addresses: ['10.0.0.3'] })
})

test('resolv.conf', () => {
  const text =
    'domain old\n# nameserver 9.9.9.9\nnameserver 10.96.0.10\nnameserver nonsense\nnameserver fd00::a ; last\nsearch a.b c.d\noptions ndots:5\n'
  expect(parseResolvConf(text)).toEqual({ servers: ['10.96.0.10', 'fd00::a'], search: ['a.b', 'c.d'] })
  expect(parseResolvConf('')).toEqual({ servers: [], search: [] })
})
