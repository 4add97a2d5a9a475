import type { ServiceEntry, ServiceEntryPort } from '../kinds/service-entry.js'
import { parseProtocol } from '../names/port-protocol.js'
import { keyOf } from '../resource.js'
import type { MeshService, Resolution, ServicePort } from './service.js'

const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  NONE: 'Passthrough',
  STATIC: 'ClientSideLB',
  DNS: 'DNSLB',
  DNS_ROUND_ROBIN: 'DNSRoundRobinLB',
  DYNAMIC_DNS: 'DynamicDNS',
}

/** A ServiceEntry in the common model: a service for each host. */
export function fromServiceEntry(entry: ServiceEntry): readonly MeshService[] {
  const { metadata, spec } = entry
  const selector = spec.workloadSelector?.labels
  return spec.hosts.map(
    (host): MeshService => ({
      hostname: host.toLowerCase(),
      name: host.toLowerCase(),
      namespace: metadata.namespace,
      registry: 'External',
      addresses: spec.addresses !== undefined && spec.addresses.length > 0 ? spec.addresses : allocatedAddresses(entry, host),
      ports: (spec.ports ?? []).map(servicePort),
      resolution: RESOLUTIONS[spec.resolution ?? 'NONE'] ?? 'Passthrough',
      meshExternal: spec.location !== 'MESH_INTERNAL',
      exportTo: spec.exportTo ?? [],
      labels: metadata.labels,
      ...(selector === undefined || Object.keys(selector).length === 0 ? {} : { selector }),
      subjectAltNames: spec.subjectAltNames ?? [],
      headless: false,
      createdAt: metadata.creationTimestamp ?? '',
      source: keyOf(entry),
    }),
  )
}

function servicePort(port: ServiceEntryPort): ServicePort {
  const targetPort = port.targetPort === undefined || port.targetPort === 0 ? port.number : port.targetPort
  return { name: port.name, number: port.number, protocol: parseProtocol(port.protocol ?? ''), targetPort }
}

// What the controller wrote into the status: `{addresses: [{value, host}]}`, one without a host for all. Nothing is allocated here.
function allocatedAddresses({ status }: ServiceEntry, host: string): readonly string[] {
  const written = (status as { addresses?: unknown } | undefined)?.addresses
  if (!Array.isArray(written)) return []
  return written.flatMap((address: unknown) => {
    const { value, host: of } = (address ?? {}) as { value?: unknown; host?: unknown }
    return typeof value === 'string' && (of === undefined || of === '' || of === host) ? [value] : []
  })
}
