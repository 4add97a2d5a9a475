import { expect, expectTypeOf, it } from 'vitest'
import { any } from './any.js'
import { Cluster, type Cluster_DiscoveryType } from './gen/envoy/config/cluster/v3.js'
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
