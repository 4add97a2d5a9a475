import { describe, expect, test } from 'vitest'
import { CDS, EDS, testServer, VARIANTS } from './fake-client.test-suite.js'

// Line 51: resources that cannot be had, with a reason.
const failure = (name: string, code: number, message: string): object => ({
  '@type': 'type.googleapis.com/envoy.service.discovery.v3.ResourceError',
  resource_name: { name },
  error_detail: { code, message },
})

describe.each(VARIANTS)('%s', (variant) => {
  test('an error is told once, and another one again', () => {
    const { give, open } = testServer()
    give({ [EDS]: [{ cluster_name: 'a' }, failure('b', 14, 'registry is away')] })
    const stream = open(variant)
    stream.ask(EDS, ['a', 'b'])
    expect(stream.take()).toEqual(['ClusterLoadAssignment a !b:14 registry is away'])
    stream.ack(EDS)
    give({ [EDS]: [{ cluster_name: 'a' }, failure('b', 14, 'registry is away')] })
    expect(stream.take()).toEqual([])
    give({ [EDS]: [{ cluster_name: 'a' }, failure('b', 5, 'no such service')] })
    expect(stream.take()).toEqual(['ClusterLoadAssignment !b:5 no such service'])
    stream.ack(EDS)
    give({ [EDS]: [{ cluster_name: 'a' }, { cluster_name: 'b' }] })
    expect(stream.take()).toEqual(['ClusterLoadAssignment b'])
  })

  test('is no resource that the client has', () => {
    const { give, open, server } = testServer()
    give({ [EDS]: [failure('b', 14, 'away')] })
    const stream = open(variant)
    stream.ask(EDS, ['b'])
    stream.ack(EDS)
    const [status] = server.status()
    expect(server.sent(status?.streamId ?? '').get(EDS)).toEqual([])
  })

  test('an authorizer may give a reason, to who asks by name, whether or not there is such a thing (line 85)', () => {
    const denied = { code: 7, message: 'not yours' }
    const { give, open } = testServer({ authorize: ({ name }) => (name.startsWith('secret') ? denied : true) })
    give({ [EDS]: [{ cluster_name: 'a' }, { cluster_name: 'secret' }] })
    const stream = open(variant)
    stream.ask(EDS, ['a', 'secret', 'secret-too'])
    expect(stream.take()).toEqual(['ClusterLoadAssignment a !secret:7 not yours !secret-too:7 not yours'])
    const all = open(variant)
    all.ask(EDS, ['*'])
    expect(all.take()).toEqual(['ClusterLoadAssignment a'])
  })
})

test('SotW: listeners and clusters are listed in full each time, their errors are not', () => {
  const { give, open } = testServer()
  give({ [CDS]: [{ name: 'a' }, failure('b', 13, 'broken')] })
  const stream = open('sotw')
  stream.ask(CDS, [])
  expect(stream.take()).toEqual(['Cluster a !b:13 broken'])
  stream.ack(CDS)
  give({ [CDS]: [{ name: 'a' }, { name: 'c' }, failure('b', 13, 'broken')] })
  expect(stream.take()).toEqual(['Cluster a c'])
})
