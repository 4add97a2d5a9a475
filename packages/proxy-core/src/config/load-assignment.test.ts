import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { resourceTypeOf } from '@heddle/xds-types/known'
import { describe, expect, it } from 'vitest'
import { compileLoadAssignment } from './load-assignment.js'

const TYPE_URL = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

const host = (port_value: number, load_balancing_weight = 1): object => ({
  load_balancing_weight,
  endpoint: { address: { socket_address: { address: '10.0.0.1', port_value } } },
})
const locality = (zone: string, priority: number, hosts: readonly object[], load_balancing_weight = 1): object => ({
  locality: { zone },
  priority,
  load_balancing_weight,
  lb_endpoints: hosts,
})

/** As a response brings it: bytes, the rules of the API, then ours. */
function received(...endpoints: readonly object[]) {
  const type = resourceTypeOf(TYPE_URL)!
  const message = type.decode(type.encode({ cluster_name: 'c', endpoints } as never))
  return message.ok ? compileLoadAssignment(message.value as ClusterLoadAssignment, '') : message
}
const pathsOf = (result: ReturnType<typeof received>): string[] => (result.ok ? [] : result.diagnostics.map(({ path }) => path))
const hostsOf = (result: ReturnType<typeof received>): string[] =>
  result.ok
    ? result.value.endpoints.map(({ address, priority, locality: { zone } }) => `${address.port} ${zone} ${priority}`)
    : []

describe('what EDS brings (line 97)', () => {
  it.each<[string, object[], string[]]>([
    ['a priority above 128', [locality('a', 129, [host(1)])], ['endpoints[0].priority']],
    ['a weight of 0', [locality('a', 0, [host(1, 0)])], ['endpoints[0].lb_endpoints[0].load_balancing_weight']],
    [
      'hosts of a locality that weigh more than a uint32 together',
      [locality('a', 0, [host(1, 2 ** 31), host(2, 2 ** 31)])],
      ['endpoints[0].lb_endpoints'],
    ],
    [
      'localities of a priority that do',
      [locality('a', 1, [host(1)], 2 ** 31), locality('b', 1, [host(2)], 2 ** 31)],
      ['endpoints'],
    ],
    ['a host without an address', [locality('a', 0, [{ endpoint: {} }])], ['endpoints[0].lb_endpoints[0].endpoint.address']],
  ])('%s is refused, with its path', (_, endpoints, paths) => {
    expect(pathsOf(received(...endpoints))).toEqual(paths)
  })

  it('as much over two priorities is not too much', () => {
    expect(pathsOf(received(locality('a', 0, [host(1)], 2 ** 31), locality('b', 1, [host(2)], 2 ** 31)))).toEqual([])
  })

  it('of an address that is there twice, in one locality or in two, the first counts', () => {
    const result = received(locality('a', 0, [host(1), host(1), host(2)]), locality('b', 1, [host(2), host(3)]))
    expect(hostsOf(result)).toEqual(['1 a 0', '2 a 0', '3 b 1'])
  })

  it('a locality that is there twice is one, and a priority may be missing: gRPC refuses both, Envoy takes them', () => {
    const result = received(locality('a', 0, [host(1)]), locality('a', 0, [host(2)]), locality('b', 2, [host(3)]))
    expect(hostsOf(result)).toEqual(['1 a 0', '2 a 0', '3 b 2'])
  })
})
