import type { MeshService, ServiceEndpoint } from '@heddle/config-model'
import type { NameTable, NameTable_NameInfo } from '@heddle/xds-types/istio/networking/nds/v1'
import { parseAddress } from '../addresses.js'
import { type Build, endpointsOf, vips } from '../build.js'
import { familiesOf } from '../families.js'

/** Hosts of multi-cluster Services: the names within a cluster are the ordinary Service's. */
const CLUSTERSET = '.clusterset.local'

/** What the agent's DNS proxy answers, as istiod's BuildNameTable: addresses of every service that the proxy sees, by host. */
export function nameTable(build: Build): NameTable {
  const table = new Map<string, NameTable_NameInfo>()
  for (const service of build.view.services) {
    const { hostname, name, namespace, registry } = service
    const ips = virtualAddresses(build, service) ?? headlessAddresses(build, service, table)
    if (ips.length === 0) continue
    const inCluster = registry === 'Kubernetes' && !hostname.endsWith(CLUSTERSET)
    table.set(hostname, { ips, registry, ...(inCluster && { shortname: name, namespace }) })
  }
  return { table: Object.fromEntries(table) }
}

/** The addresses that the proxy can call; none where they are ranges; undefined where the service has none of its own. */
function virtualAddresses(build: Build, service: MeshService): readonly string[] | undefined {
  const own = vips(service)
  if (own.length === 0) return undefined
  const families = familiesOf(build)
  const addresses = own.filter((address) => parseAddress(address) !== undefined)
  const fitting = addresses.filter((address) => families === 'both' || address.includes(':') === (families === 'IPv6'))
  return fitting.length > 0 ? fitting : addresses
}

/** Those of its healthy endpoints that need no gateway; adds the names of pods that have one, `mysql-0.mysql`. */
function headlessAddresses(build: Build, service: MeshService, table: Map<string, NameTable_NameInfo>): readonly string[] {
  const [port] = service.ports
  if (service.resolution !== 'Passthrough' || port === undefined) return []
  const { network, cluster } = build.proxy
  const near = endpointsOf(build, service, port.name).filter(
    (endpoint) =>
      endpoint.health === 'HEALTHY' &&
      parseAddress(endpoint.address) !== undefined &&
      (endpoint.network === '' || network === '' || endpoint.network === network),
  )
  for (const endpoint of near) {
    const shortname = podName(build, endpoint)
    if (shortname === undefined) continue
    const host = `${shortname}${service.hostname.slice(service.hostname.indexOf('.'))}`
    // A pod of that name in the own cluster counts before those of others.
    if (table.has(host) && endpoint.cluster !== cluster) continue
    table.set(host, { ips: [endpoint.address], registry: service.registry, shortname, namespace: service.namespace })
  }
  return [...new Set(near.map(({ address }) => address))]
}

/** `<hostname>.<subdomain>` of a pod that has both. */
function podName({ snapshot }: Build, { source }: ServiceEndpoint): string | undefined {
  if (!source.startsWith('Pod ')) return undefined
  const [namespace = '', name = ''] = source.slice('Pod '.length).split('/')
  const { hostname, subdomain } = snapshot.get('Pod', namespace, name)?.spec ?? {}
  return typeof hostname === 'string' && typeof subdomain === 'string' && hostname !== '' && subdomain !== ''
    ? `${hostname}.${subdomain}`
    : undefined
}
