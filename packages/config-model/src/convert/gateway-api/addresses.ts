import type { Read } from '@heddle/runtime'
import type { MeshService } from '../../catalog/service.js'
import { endpointsKey } from '../../catalog/service-endpoints.js'
import type { Server } from '../../kinds/gateway.js'
import type { KubernetesGateway } from '../../kinds/gateway-api/gateway.js'
import { listIn, type Problem, type Verdict } from '../status.js'
import type { ControllerInfo } from './classes.js'
import { type Inputs, serviceHost } from './inputs.js'

/** Whether Istio would deploy the gateway: only one address that is a host name says that somebody else does. */
export function isManaged({ addresses = [] }: KubernetesGateway['spec']): boolean {
  const [first] = addresses
  return first === undefined || (addresses.length === 1 && (first.type === undefined || first.type === 'IPAddress'))
}

/** The name of the Service and of the account that a managed gateway has. */
export function managedName({ metadata, spec }: KubernetesGateway, info: ControllerInfo): string {
  return info.plainName === true ? metadata.name : `${metadata.name}-${spec.gatewayClassName}`
}

/** Hosts of the Services in front of a gateway's proxies; a problem where an address is none. */
export function gatewayServices(
  gateway: KubernetesGateway,
  info: ControllerInfo,
  domainSuffix: string,
): { readonly hosts: readonly string[]; readonly problem?: Problem } {
  const { metadata, spec } = gateway
  if (isManaged(spec)) {
    const name = metadata.annotations['gateway.istio.io/name-override'] ?? managedName(gateway, info)
    return { hosts: [serviceHost(name, metadata.namespace, domainSuffix)] }
  }
  const addresses = spec.addresses ?? []
  const hosts = addresses
    .filter(({ type = 'Hostname' }) => type === 'Hostname')
    .map(({ value = '' }) => (value.includes('.') ? value : serviceHost(value, metadata.namespace, domainSuffix)))
  const others = addresses.filter(({ type = 'Hostname' }) => type !== 'Hostname').map(({ value = '' }) => value)
  if (others.length > 0)
    return {
      hosts,
      problem: { reason: 'UnsupportedAddress', message: `only Hostname is supported, ignoring [${others.join(' ')}]` },
    }
  if (metadata.annotations['networking.istio.io/service-type'] !== undefined) {
    const message = 'annotation networking.istio.io/service-type is deprecated, use Spec.Infrastructure.Routeability'
    return { hosts, problem: { reason: 'DeprecatedField', message } }
  }
  return { hosts }
}

/** Where a gateway can be reached, as far as the mesh knows. */
export interface Resolved {
  /** `host:port`. */
  readonly internal: readonly string[]
  readonly internalIPs: readonly string[]
  readonly external: readonly string[]
  /** Hosts of load balancers without an address yet. */
  readonly pending: readonly string[]
  readonly warnings: readonly string[]
  /** Nothing that was asked for is impossible; it may only not be there yet. */
  readonly usable: boolean
}

interface Found {
  internal: Set<string>
  internalIPs: Set<string>
  external: Set<string>
  pending: Set<string>
  warnings: string[]
  usable: boolean
}

/** Looks up the Services at the ports of the servers. */
export function resolveServices(
  namespace: string,
  hosts: readonly string[],
  servers: readonly Server[],
  inputs: Inputs,
  read: Read,
): Resolved {
  const found: Found = {
    internal: new Set(),
    internalIPs: new Set(),
    external: new Set(),
    pending: new Set(),
    warnings: [],
    usable: true,
  }
  const ports = [...new Set(servers.map(({ port }) => port.number))]
  for (const host of hosts) {
    const service = read.get(inputs.services, `${namespace}/${host}`)
    if (service === undefined) {
      found.usable = false
      found.warnings.push(notFound(host, namespace, inputs, read))
    } else for (const port of ports) resolvePort(service, host, port, found, inputs, read)
  }
  const sorted = (set: ReadonlySet<string>): readonly string[] => [...set].sort()
  return {
    internal: sorted(found.internal),
    internalIPs: sorted(found.internalIPs),
    external: sorted(found.external),
    pending: sorted(found.pending),
    warnings: found.warnings.sort(),
    usable: found.usable,
  }
}

function notFound(host: string, namespace: string, inputs: Inputs, read: Read): string {
  const elsewhere = read.list(inputs.servicesByHost, host).map((service) => `"${service.namespace}"`)
  if (elsewhere.length === 0) return `hostname "${host}" not found`
  const list = elsewhere.sort().join(', ')
  return `hostname "${host}" not found in namespace "${namespace}", but it was found in namespace(s) ${list}`
}

function resolvePort(service: MeshService, host: string, port: number, found: Found, inputs: Inputs, read: Read): void {
  const endpointsOf = (name: string) => read.get(inputs.endpoints, endpointsKey(service, name)) ?? []
  const own = service.ports.find(({ number }) => number === port)
  if (own !== undefined && endpointsOf(own.name).length > 0) {
    found.internal.add(`${host}:${port}`)
    for (const address of service.addresses) found.internalIPs.add(address)
    const outside = externalAddresses(service, inputs, read)
    for (const address of outside.addresses) found.external.add(address)
    if (outside.pending && !found.pending.has(host)) {
      found.pending.add(host)
      found.warnings.push(`address pending for hostname "${host}"`)
    }
    return
  }
  const served = service.ports.filter(({ name }) => endpointsOf(name).length > 0)
  if (served.length === 0) {
    found.warnings.push(`no instances found for hostname "${host}"`)
    return
  }
  const meant = served
    .filter(({ name }) => endpointsOf(name).some((endpoint) => endpoint.port === port))
    .map(({ number }) => number)
  // Where Istio deploys the gateway, a port without endpoints is one that comes in a moment.
  if (meant.length === 0 && own !== undefined && service.labels['gateway.istio.io/managed'] !== undefined) return
  const hint = `the service port should be specified, not the workload port. Did you mean one of these ports: [${meant.sort().join(' ')}]?`
  found.warnings.push(`port ${port} not found for hostname "${host}"${meant.length === 0 ? '' : ` (hint: ${hint})`}`)
  found.usable = false
}

/** What the load balancer of a Service says, or its externalIPs. */
function externalAddresses(
  { source }: MeshService,
  inputs: Inputs,
  read: Read,
): { addresses: readonly string[]; pending: boolean } {
  const service = source.startsWith('Service ') ? read.get(inputs.sources.Service, source.slice('Service '.length)) : undefined
  if (service === undefined) return { addresses: [], pending: false }
  const balancer = (service.status as { loadBalancer?: unknown } | undefined)?.loadBalancer
  const ingress = listIn<{ ip?: string; hostname?: string }>(balancer, 'ingress')
  const balanced = ingress.flatMap(({ ip = '', hostname = '' }) => [ip, hostname].filter((one) => one !== ''))
  const addresses = [...balanced, ...(service.spec.externalIPs ?? [])]
  return { addresses, pending: addresses.length === 0 && service.spec.type === 'LoadBalancer' }
}

/** The addresses that a gateway reports; none before there is one. */
export function reportedAddresses(
  resolved: Resolved,
  info: ControllerInfo,
  gateway: KubernetesGateway,
): readonly { type: string; value: string }[] {
  const wanted = gateway.metadata.annotations['networking.istio.io/address-type'] ?? info.addressType
  const hosts = resolved.internal
    .map((one) => one.slice(0, one.lastIndexOf(':')))
    .filter((host) => !resolved.pending.includes(host))
  const inside = [...(wanted === 'Hostname' ? [] : resolved.internalIPs), ...(wanted === 'IPAddress' ? [] : hosts)]
  const values = resolved.external.length > 0 ? resolved.external : [...new Set(inside)]
  return values.map((value) => ({ type: isIp(value) ? 'IPAddress' : 'Hostname', value }))
}

function isIp(value: string): boolean {
  return value.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(value)
}

/** Whether the gateway has an address where it serves. */
export function programmedVerdict(resolved: Resolved, hosts: readonly string[]): Verdict {
  const { internal, warnings, usable } = resolved
  const assigned = readableList(internal)
  const message = internal.length === 0 ? 'Resource programmed' : `Resource programmed, assigned to service(s) ${assigned}`
  const verdict = { reason: 'Programmed', message }
  if (hosts.length === 0)
    return { ...verdict, problem: { reason: 'UnsupportedAddress', message: 'Failed to assign to any requested addresses' } }
  if (warnings.length === 0) return verdict
  const what = warnings.join('; ')
  const problem =
    internal.length === 0
      ? `Failed to assign to any requested addresses: ${what}`
      : `Assigned to service(s) ${assigned}, but failed to assign to all requested addresses: ${what}`
  return { ...verdict, problem: { reason: usable ? 'AddressNotAssigned' : 'AddressNotUsable', message: problem } }
}

function readableList(list: readonly string[]): string {
  if (list.length < 2) return list.join('')
  if (list.length === 2) return list.join(' and ')
  return `${list.slice(0, -1).join(', ')}, and ${list.at(-1)}`
}
