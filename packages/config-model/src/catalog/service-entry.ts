import { oldestFirst } from '../age.js'
import type { ServiceEntry, ServiceEntryPort } from '../kinds/service-entry.js'
import { parseProtocol } from '../names/port-protocol.js'
import { keyOf } from '../resource.js'
import type { MeshService, Resolution, ServicePort } from './service.js'
import { statusAddresses } from './service-addresses.js'
import { distributionOf } from './traffic-distribution.js'

const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  NONE: 'Passthrough',
  STATIC: 'ClientSideLB',
  DNS: 'DNSLB',
  DNS_ROUND_ROBIN: 'DNSRoundRobinLB',
  DYNAMIC_DNS: 'DynamicDNS',
}

/**
 * The ServiceEntries of one host and namespace as one service, as in Istio: the oldest says what it is, ports of the others are added to its own.
 * `distribution`: what the namespace says of traffic.
 */
export function fromServiceEntries(
  entries: readonly ServiceEntry[],
  hostname: string,
  allocated: string | undefined,
  distribution: string | undefined,
): MeshService | undefined {
  const [first, ...others] = oldestFirst(entries)
  if (first === undefined) return undefined
  const service = {
    ...fromServiceEntry(first, hostname, allocated),
    ...distributionOf(undefined, first.metadata.annotations, distribution),
  }
  const ports = new Map(service.ports.map((port) => [port.number, port]))
  for (const { spec } of others)
    for (const port of spec.ports ?? []) if (!ports.has(port.number)) ports.set(port.number, servicePort(port))
  return ports.size === service.ports.length ? service : { ...service, ports: [...ports.values()] }
}

function fromServiceEntry(entry: ServiceEntry, hostname: string, allocated: string | undefined): MeshService {
  const { metadata, spec } = entry
  const selector = spec.workloadSelector?.labels
  return {
    hostname,
    name: hostname,
    namespace: metadata.namespace,
    registry: 'External',
    ...addressesOf(entry, hostname, allocated),
    ports: (spec.ports ?? []).map(servicePort),
    resolution: RESOLUTIONS[spec.resolution ?? 'NONE'] ?? 'Passthrough',
    meshExternal: spec.location !== 'MESH_INTERNAL',
    exportTo: spec.exportTo ?? [],
    labels: metadata.labels,
    ...(isEmpty(selector) ? {} : { selector }),
    subjectAltNames: spec.subjectAltNames ?? [],
    headless: false,
    createdAt: metadata.creationTimestamp ?? '',
    source: keyOf(entry),
  }
}

function addressesOf(
  { spec, status }: ServiceEntry,
  hostname: string,
  allocated: string | undefined,
): Pick<MeshService, 'addresses' | 'allocated'> {
  if (spec.addresses !== undefined && spec.addresses.length > 0) return { addresses: spec.addresses }
  const host = spec.hosts.find((written) => written.toLowerCase() === hostname) ?? hostname
  const written = statusAddresses(status, host)
  if (written.length > 0) return { addresses: written, allocated: true }
  return allocated === undefined ? { addresses: [] } : { addresses: [allocated], allocated: true }
}

/** The selector of an entry's workloads; undefined: it selects none. */
export function workloadsOf({ spec }: ServiceEntry): Readonly<Record<string, string>> | undefined {
  return isEmpty(spec.workloadSelector?.labels) ? undefined : spec.workloadSelector?.labels
}

function isEmpty(selector: Readonly<Record<string, string>> | undefined): selector is undefined {
  return selector === undefined || Object.keys(selector).length === 0
}

/** A port in the common model. */
export function servicePort(port: ServiceEntryPort): ServicePort {
  const targetPort = port.targetPort === undefined || port.targetPort === 0 ? port.number : port.targetPort
  return { name: port.name, number: port.number, protocol: parseProtocol(port.protocol ?? ''), targetPort }
}
