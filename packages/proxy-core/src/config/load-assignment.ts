import type { Result } from '@heddle/runtime'
import type { Locality as LocalityProto } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  ClusterLoadAssignment,
  Endpoint_HealthCheckConfig,
  LbEndpoint,
  LocalityLbEndpoints,
} from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Endpoint, EndpointSet, Locality, LocalityWeight } from '../upstream/endpoint.js'
import { compileAddress, compileLiteral, isLiteral } from './address.js'
import { compileMessage, type Fields } from './fields.js'
import { compileMetadata } from './metadata.js'

/** Of all that share a choice: what a uint32 holds. */
export const MOST_WEIGHT: number = 2 ** 32 - 1
const LAST_PRIORITY = 128
const DEFAULT_OVERPROVISIONING = 140
const HEALTH = ['UNKNOWN', 'HEALTHY', 'UNHEALTHY', 'DRAINING', 'TIMEOUT', 'DEGRADED'] as const

/**
 * Compiles the envoy.config.endpoint.v3.ClusterLoadAssignment that EDS brought. Give the result to `keepIdentity` with the set
 * before it. Of an address that is there twice the first counts, as in Envoy.
 */
export function compileLoadAssignment(json: ClusterLoadAssignment, path: string): Result<EndpointSet> {
  return compileMessage<ClusterLoadAssignment, EndpointSet>(json, path, (fields) => {
    const set = compileEndpointSet(fields)
    return { ...set, endpoints: firstOfEach(set.endpoints) }
  })
}

function firstOfEach(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const first = new Map<string, Endpoint>()
  for (const endpoint of endpoints) {
    const key = `${endpoint.address.address} ${endpoint.address.port}`
    if (!first.has(key)) first.set(key, endpoint)
  }
  return first.size === endpoints.length ? endpoints : [...first.values()]
}

/** `named`: endpoints may be names, which are looked up. */
export function compileEndpointSet(fields: Fields<ClusterLoadAssignment>, named = false): EndpointSet {
  const policy = fields.message('policy')
  const overprovisioningFactor = policy?.number('overprovisioning_factor', DEFAULT_OVERPROVISIONING) ?? DEFAULT_OVERPROVISIONING
  policy?.done({ endpoint_stale_after: 'endpoints stay until the server says otherwise' })
  const groups = fields.messages('endpoints').map((each) => compileLocality(each, named))
  for (const [priority, sum] of weightsByPriority(groups))
    if (sum > MOST_WEIGHT)
      fields.problem(`localities of priority ${priority} weigh ${sum} together, ${MOST_WEIGHT} at most.`, 'endpoints')
  fields.done({ cluster_name: 'the subscription knows it' })
  return {
    endpoints: groups.flatMap(({ endpoints }) => endpoints),
    localities: groups.map(({ weight }) => weight),
    overprovisioningFactor,
  }
}

function weightsByPriority(groups: readonly { weight: LocalityWeight }[]): Map<number, number> {
  const sums = new Map<number, number>()
  for (const { weight } of groups) sums.set(weight.priority, (sums.get(weight.priority) ?? 0) + weight.weight)
  return sums
}

function compileLocality(
  fields: Fields<LocalityLbEndpoints>,
  named: boolean,
): { weight: LocalityWeight; endpoints: readonly Endpoint[] } {
  const locality = localityOf(fields.message('locality'))
  const priority = fields.number('priority')
  if (priority > LAST_PRIORITY) fields.problem(`must be ${LAST_PRIORITY} at most.`, 'priority')
  const weight = { locality, priority, weight: fields.number('load_balancing_weight') }
  const endpoints = fields.messages('lb_endpoints').map((each) => compileEndpoint(each, { locality, priority, named }))
  const sum = endpoints.reduce((total, each) => total + each.weight, 0)
  if (sum > MOST_WEIGHT) fields.problem(`weigh ${sum} together, ${MOST_WEIGHT} at most.`, 'lb_endpoints')
  fields.done({ proximity: 'Envoy reads it nowhere', metadata: 'no filter here reads it' })
  return { weight, endpoints }
}

function localityOf(fields: Fields<LocalityProto> | undefined): Locality {
  const locality = {
    region: fields?.string('region') ?? '',
    zone: fields?.string('zone') ?? '',
    subZone: fields?.string('sub_zone') ?? '',
  }
  fields?.done()
  return locality
}

interface Place {
  readonly locality: Locality
  readonly priority: number
  readonly named: boolean
}

function compileEndpoint(fields: Fields<LbEndpoint>, { locality, priority, named }: Place): Endpoint {
  const inner = fields.message('endpoint')
  const hostname = inner?.string('hostname') ?? ''
  const healthCheck = compileCheck(inner?.message('health_check_config'))
  const health = fields.choice('health_status', HEALTH, 'UNKNOWN')
  const weight = fields.number('load_balancing_weight', 1)
  if (weight < 1) fields.problem('must be at least 1.', 'load_balancing_weight')
  if (inner?.has('address') === false) inner.problem('is required.', 'address')
  const address = compileAddress(inner?.message('address'))
  if (!named && !isLiteral(address))
    inner?.problem(
      `${JSON.stringify(address.address)} is no IP address: only STRICT_DNS and LOGICAL_DNS look names up.`,
      'address',
    )
  const endpoint: Endpoint = {
    address,
    ...(hostname !== '' && { hostname }),
    weight,
    priority,
    locality,
    health: health === 'TIMEOUT' ? 'UNHEALTHY' : health,
    metadata: compileMetadata(fields.message('metadata')),
    ...(healthCheck && { healthCheck }),
  }
  inner?.done({
    additional_addresses: 'the first address is the one in use',
  })
  fields.done()
  if (inner === undefined) fields.problem('is required.', 'endpoint')
  return endpoint
}

function compileCheck(fields: Fields<Endpoint_HealthCheckConfig> | undefined): Endpoint['healthCheck'] {
  if (fields === undefined) return undefined
  const port = fields.number('port_value')
  const hostname = fields.string('hostname')
  const address = fields.has('address') ? compileLiteral(fields, 'address') : undefined
  const check = {
    ...(port !== 0 && { port }),
    ...(hostname !== '' && { hostname }),
    ...(address && { address }),
    ...(fields.boolean('disable_active_health_check') && { disabled: true }),
  }
  fields.done()
  return check
}
