import type { Endpoint, EndpointSet } from './endpoint.js'

export const NO_ENDPOINTS: EndpointSet = { endpoints: [], localities: [], overprovisioningFactor: 140 }

/**
 * `next` with every endpoint that did not change taken from `previous`, so that its pools, counts and ejections live on.
 * Nothing changed at all: `previous` itself.
 */
export function keepIdentity(previous: EndpointSet | undefined, next: EndpointSet): EndpointSet {
  if (previous === undefined) return next
  const known = new Map(previous.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]))
  const endpoints = next.endpoints.map((endpoint) => known.get(identityOf(endpoint)) ?? endpoint)
  const same =
    endpoints.length === previous.endpoints.length &&
    endpoints.every((endpoint, i) => endpoint === previous.endpoints[i]) &&
    next.overprovisioningFactor === previous.overprovisioningFactor &&
    JSON.stringify(next.localities) === JSON.stringify(previous.localities)
  return same ? previous : { ...next, endpoints }
}

const identities = new WeakMap<Endpoint, string>()

/** Everything of an endpoint as text; worked out once per object. */
function identityOf(endpoint: Endpoint): string {
  const known = identities.get(endpoint)
  if (known !== undefined) return known
  const { address, hostname, weight, priority, locality, health, metadata, healthCheck } = endpoint
  const made = JSON.stringify([
    address.address,
    address.port,
    hostname,
    weight,
    priority,
    locality.region,
    locality.zone,
    locality.subZone,
    health,
    metadata,
    healthCheck,
  ])
  identities.set(endpoint, made)
  return made
}
