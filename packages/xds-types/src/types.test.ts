import { expect, expectTypeOf, it } from 'vitest'
import { any } from './any.js'
import { Cluster, type Cluster_DiscoveryType } from './gen/envoy/config/cluster/v3.js'
import type { TransportSocket } from './gen/envoy/config/core/v3.js'
import { Route } from './gen/envoy/config/route/v3.js'
import { Router } from './gen/envoy/extensions/filters/http/router/v3.js'
import {
  AggregatedDiscoveryService,
  type DeltaDiscoveryRequest,
  type DiscoveryRequest,
} from './gen/envoy/service/discovery/v3.js'
import type { MessageType } from './types.js'

// The compiler is what is tested: a line that should not compile and does is an error of `tsc`.

it('a wrong enum, a wrong field and a wrong value in any() do not compile', () => {
  // @ts-expect-error no such discovery type
  const wrongEnum: Cluster = { type: 'EDSS' }
  // @ts-expect-error no such field
  const wrongField: Cluster = { nmae: 'a' }
  // @ts-expect-error a number where a duration belongs
  const wrongType: Cluster = { connect_timeout: 5 }
  // @ts-expect-error a field of another message
  const wrongAny = any(Router, { cluster_name: 'a' })
  for (const value of [wrongEnum, wrongField, wrongType]) expect(() => Cluster.encode(value)).toThrow()
  expect(() => Router.encode(wrongAny as Router)).toThrow()
})

it('of a oneof one member is set, and its presence tells which', () => {
  // @ts-expect-error two of `action`
  const both: Route = { route: { cluster: 'a' }, redirect: { host_redirect: 'b' } }
  expect(() => Route.encode(both)).toThrow('only one of')
  const describeRoute = (route: Route): string | undefined => {
    if (route.redirect !== undefined) {
      expectTypeOf(route.route).toEqualTypeOf<undefined>()
      return route.redirect.host_redirect
    }
    return route.route?.cluster
  }
  const none: Route = {}
  expect([{ route: { cluster: 'a' } }, { redirect: { host_redirect: 'b' } }, none].map(describeRoute)).toEqual([
    'a',
    'b',
    undefined,
  ])
})

it('an Any is open to types of whoever uses it', () => {
  const own: TransportSocket = { name: 'x', typed_config: { '@type': 'my.host/my.Type', anything: [1] } }
  const packed: TransportSocket = { name: 'x', typed_config: { type_url: 'my.host/my.Type', value: Uint8Array.of(1) } }
  expect([own.typed_config?.['anything'], packed.typed_config?.['value']]).toEqual([[1], Uint8Array.of(1)])
})

it('names, enums and methods have their types', () => {
  expectTypeOf<Cluster['type']>().toEqualTypeOf<Cluster_DiscoveryType | undefined>()
  expectTypeOf(Cluster).toExtend<MessageType<Cluster>>()
  expectTypeOf(Cluster).toExtend<MessageType<unknown>>()
  const { StreamAggregatedResources: stream, DeltaAggregatedResources: delta } = AggregatedDiscoveryService.methods
  expectTypeOf(stream.request).toEqualTypeOf<MessageType<DiscoveryRequest>>()
  expectTypeOf(delta.request).toEqualTypeOf<MessageType<DeltaDiscoveryRequest>>()
  expect(delta.path).toBe('/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources')
  expect([delta.requestStream, delta.responseStream]).toEqual([true, true])
})
