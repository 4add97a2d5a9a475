import { createSeededRandom } from '@heddle/runtime/testing'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { describe, expect, it } from 'vitest'
import { compileCluster } from '../../config/cluster.js'
import { createHeaderMap } from '../../http/header-map.js'
import { head, testDeps } from '../../testing.js'
import type { Endpoint, EndpointSet } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext } from '../load-balancer.js'

const locality = (zone: string) => ({ region: 'r', zone, subZone: '' })
const endpoint = (port: number, labels: object, zone = 'a', weight = 1): Endpoint => ({
  address: { address: '127.0.0.1', port },
  weight,
  priority: 0,
  locality: locality(zone),
  health: 'HEALTHY',
  metadata: { 'envoy.lb': { ...labels } },
})
const SET: EndpointSet = {
  overprovisioningFactor: 140,
  endpoints: [
    endpoint(1, { version: '1', stage: 'prod' }),
    endpoint(2, { version: '2', stage: 'prod' }),
    endpoint(3, { version: '2', stage: 'dev' }, 'b'),
    endpoint(4, { version: ['3', '4'], stage: 'dev' }, 'b'),
  ],
  localities: [
    { locality: locality('a'), priority: 0, weight: 1 },
    { locality: locality('b'), priority: 0, weight: 3 },
  ],
}
const deps = (rest: Partial<LoadBalancerDeps> = {}): LoadBalancerDeps => ({
  ...{ random: createSeededRandom(3), activeRequests: () => 0, isHealthy: () => true },
  ...rest,
})

/** The ports that a cluster with this config picks, sorted, each once. */
function picked(json: Cluster, context: PickContext, own = deps(), rounds = 60): number[] {
  const compiled = compileCluster({ name: 'c', ...json }, testDeps(), 'c')
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const picker = compiled.value.createPicker(SET, own)
  const ports = new Set<number>()
  for (let i = 0; i < rounds; i++) ports.add(picker.pick(context)?.address.port ?? 0)
  return [...ports].sort((a, b) => a - b)
}

const subset = (rest: object, selectors: readonly object[] = [{ keys: ['version'] }, { keys: ['version', 'stage'] }]): Cluster =>
  ({ lb_subset_config: { subset_selectors: selectors, ...rest } }) as Cluster

describe('subsets', () => {
  it.each([
    [{ fallback_policy: 'ANY_ENDPOINT' }, { version: '1' }, [1]],
    [{ fallback_policy: 'ANY_ENDPOINT' }, { version: '2' }, [2, 3]],
    [{ fallback_policy: 'ANY_ENDPOINT' }, { stage: 'dev', version: '2' }, [3]],
    [{ fallback_policy: 'ANY_ENDPOINT' }, { version: '9' }, [1, 2, 3, 4]],
    [{ fallback_policy: 'ANY_ENDPOINT' }, undefined, [1, 2, 3, 4]],
    [{ fallback_policy: 'NO_FALLBACK' }, { version: '9' }, [0]],
    [{ fallback_policy: 'NO_FALLBACK' }, undefined, [0]],
    [{ fallback_policy: 'DEFAULT_SUBSET', default_subset: { stage: 'dev' } }, { version: '9' }, [3, 4]],
    [{ fallback_policy: 'DEFAULT_SUBSET', default_subset: { stage: 'none' } }, { version: '9' }, [0]],
    [
      { fallback_policy: 'DEFAULT_SUBSET', default_subset: { stage: 'none' }, panic_mode_any: true },
      { version: '9' },
      [1, 2, 3, 4],
    ],
    [{ list_as_any: true }, { version: '4' }, [4]],
    [{}, { version: '4' }, [0]],
  ])('%j with %j: %j', (config, metadataMatch, ports) => {
    expect(picked(subset(config), { metadataMatch })).toEqual(ports)
  })

  it('a selector has a fallback of its own, also to fewer keys', () => {
    const fallback = [
      { keys: ['version'], fallback_policy: 'ANY_ENDPOINT' },
      { keys: ['version', 'stage'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['version'] },
    ]
    expect(picked(subset({}, fallback), { metadataMatch: { version: '9' } })).toEqual([1, 2, 3, 4])
    expect(picked(subset({}, fallback), { metadataMatch: { version: '1', stage: 'dev' } })).toEqual([1])
  })

  it('a single host stands for its values', () => {
    const single = subset({}, [{ keys: ['stage'], single_host_per_subset: true }])
    expect(picked(single, { metadataMatch: { stage: 'prod' } })).toEqual([1])
  })

  it('a list of fallbacks is tried in order', () => {
    const list = subset({ metadata_fallback_policy: 'FALLBACK_LIST' })
    const metadataMatch = { fallback_list: [{ version: '9' }, { version: '1' }] }
    expect(picked(list, { metadataMatch })).toEqual([1])
  })

  it('a subset of sick hosts is in panic by itself', () => {
    const own = deps({ isHealthy: ({ address }) => address.port !== 1 })
    expect(picked(subset({}), { metadataMatch: { version: '1' } }, own)).toEqual([1])
  })
})

const typed = (name: string, message: string, config: object = {}): object => ({
  typed_extension_config: {
    name,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${name}.v3.${message}`, ...config },
  },
})
const policy = (...policies: readonly object[]): Cluster => ({ load_balancing_policy: { policies } }) as Cluster

describe('typed policies', () => {
  it.each([
    ['round_robin', 'RoundRobin', {}],
    ['random', 'Random', {}],
    ['least_request', 'LeastRequest', { choice_count: 3 }],
    ['least_request', 'LeastRequest', { selection_method: 'FULL_SCAN' }],
    ['wrr_locality', 'WrrLocality', { endpoint_picking_policy: { policies: [typed('round_robin', 'RoundRobin')] } }],
  ])('%s takes everybody', (name, message, config) => {
    expect(picked(policy(typed(name, message, config)), {}, deps(), 400)).toEqual([1, 2, 3, 4])
  })

  it.each([
    ['ring_hash', 'RingHash', { minimum_ring_size: '64' }],
    ['maglev', 'Maglev', { table_size: '65537' }],
  ])('%s follows the hash', (name, message, config) => {
    expect(picked(policy(typed(name, message, config)), { hash: 12345n })).toHaveLength(1)
  })

  it('the first that is known is taken, and a list of strangers is refused', () => {
    expect(picked(policy(typed('from_mars', 'Ray'), typed('random', 'Random')), {})).toEqual([1, 2, 3, 4])
    expect(() => picked(policy(typed('from_mars', 'Ray')), {})).toThrow('from_mars')
  })

  it('override_host goes where the header says, down its list at retries, else to the fallback', () => {
    const cluster = policy(
      typed('override_host', 'OverrideHost', {
        override_host_sources: [{ header: 'x-host' }],
        fallback_policy: { policies: [typed('round_robin', 'RoundRobin')] },
      }),
    )
    const asking = (value: string): PickContext => ({ head: { ...head('/'), headers: createHeaderMap([['x-host', value]]) } })
    expect(picked(cluster, asking('127.0.0.1:3'))).toEqual([3])
    expect(picked(cluster, asking('127.0.0.1:9'))).toEqual([1, 2, 3, 4])
    expect(picked(cluster, { ...asking('127.0.0.1:3,127.0.0.1:2'), tried: [SET.endpoints[2]!] })).toEqual([2])
    expect(picked(cluster, {})).toEqual([1, 2, 3, 4])
  })
})

describe('slow start', () => {
  it('a host that has just come gets little, and its share in the end', () => {
    const cluster: Cluster = {
      round_robin_lb_config: { slow_start_config: { slow_start_window: '60s', min_weight_percent: { value: 10 } } },
    }
    const compiled = compileCluster({ name: 'c', ...cluster }, testDeps(), 'c')
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
    const share = (age: number): number => {
      const own = deps({ healthyForMs: ({ address }) => (address.port === 1 ? age : 100_000) })
      const picker = compiled.value.createPicker(SET, own)
      return Array.from({ length: 4000 }, () => picker.pick({})).filter((one) => one?.address.port === 1).length / 1000
    }
    expect(share(1)).toBeGreaterThan(0.1)
    expect(share(1)).toBeLessThan(0.16)
    expect(share(30_000)).toBeGreaterThan(0.5)
    expect(share(30_000)).toBeLessThan(0.65)
    expect(share(60_000)).toBeCloseTo(1, 1)
  })
})

describe('retries elsewhere', () => {
  it('previous_priorities leave the tried priority, while another has somebody', () => {
    const endpoints = [endpoint(1, {}), { ...endpoint(2, {}), priority: 1 }]
    const compiled = compileCluster({ name: 'c' }, testDeps(), 'c')
    if (!compiled.ok) throw new Error('refused')
    const picker = compiled.value.createPicker({ ...SET, endpoints, localities: [] }, deps())
    expect(picker.pick({})?.address.port).toBe(1)
    expect(picker.pick({ triedPriorities: new Set([0]) })?.address.port).toBe(2)
    expect(picker.pick({ triedPriorities: new Set([0, 1]) })?.address.port).toBe(1)
    expect(picker.pick({ rejects: ({ address }) => address.port === 1, attempts: 3 })?.address.port).toBe(1)
  })
})
