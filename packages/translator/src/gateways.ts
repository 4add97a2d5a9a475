import { type Gateway, isHttp, type MeshSnapshot, type PortProtocol, parseProtocol, type Server } from '@heddle/config-model'
import { createSideTable, type SideTable } from '@heddle/runtime'
import { selectsProxy } from './ask.js'
import { hostsOverlap } from './hosts.js'
import type { ProxyDescriptor } from './proxy.js'
import { namedTargets } from './semantics.js'
import type { ServiceTarget } from './service-targets.js'

/** A server of a Gateway as one proxy serves it. */
export interface BoundServer {
  readonly gateway: Gateway
  /** `namespace/name`, by which VirtualServices bind to it. */
  readonly gatewayName: string
  readonly server: Server
  /** `spec.servers[1]`. */
  readonly path: string
  readonly protocol: PortProtocol
  /** The port that the proxy listens on: the pod's target port. */
  readonly listenPort: number
  readonly bind: string
  /** RDS name; '' where there is no HTTP. */
  readonly routeName: string
  /** HTTP within TLS that ends here. */
  readonly terminatesHttps: boolean
}

/** Servers of the Gateways that select a proxy or name a Service of it, oldest Gateway first; ports of the Service in front of the proxy become its target ports. `scoped`: Gateways of the proxy's namespace only. */
export function serversOf(
  snapshot: MeshSnapshot,
  proxy: ProxyDescriptor,
  targets: readonly ServiceTarget[],
  scoped = false,
): readonly BoundServer[] {
  const bound: BoundServer[] = []
  for (const gateway of snapshot.list('Gateway')) {
    if (scoped && gateway.metadata.namespace !== proxy.namespace) continue
    const named = namedTargets(gateway, proxy, targets)
    if (named === undefined && !selectsProxy(gateway.spec.selector, proxy)) continue
    for (const [i, server] of gateway.spec.servers.entries()) {
      const { number } = server.port
      const ports = targetPorts(number, named ?? targets)
      // Labels choose a proxy whether a Service has the port or not; a named Service must have it.
      for (const port of ports.length > 0 || named !== undefined ? ports : [number]) bound.push(bind(gateway, server, i, port))
    }
  }
  return withoutConflicts(bound)
}

function targetPorts(port: number, targets: readonly ServiceTarget[]): readonly number[] {
  return [...new Set(targets.filter((t) => t.port.number === port).map((t) => t.targetPort))].sort((a, b) => a - b)
}

function bind(gateway: Gateway, server: Server, index: number, listenPort: number): BoundServer {
  const { namespace, name } = gateway.metadata
  const protocol = parseProtocol(server.port.protocol)
  const terminatesHttps = protocol === 'HTTPS' && server.tls !== undefined && !passesThrough(server)
  const address = server.bind ?? ''
  const plain = address === '' ? `http.${listenPort}` : `http.${listenPort}.${address}`
  const secure =
    address === ''
      ? `https.${server.port.number}.${server.port.name}.${name}.${namespace}`
      : `https.${server.port.number}.${server.port.name}.${name}.${namespace}.${address}`
  const routeName = isHttp(protocol) ? plain : terminatesHttps ? secure : ''
  return {
    gateway,
    gatewayName: `${namespace}/${name}`,
    server,
    path: `spec.servers[${index}]`,
    protocol,
    listenPort,
    bind: address,
    routeName,
    terminatesHttps,
  }
}

export function passesThrough(server: Server): boolean {
  return server.tls === undefined || server.tls.mode === 'PASSTHROUGH' || server.tls.mode === 'AUTO_PASSTHROUGH'
}

/** What stands on a port already. */
interface Taken {
  /** The plaintext server that others merge with. */
  plain: BoundServer | undefined
  /** Hosts with TLS, and the address that has them. */
  readonly tlsHosts: Map<string, string>
}

/**
 * One address has either plain HTTP servers, which merge, or one TCP server, or TLS servers told apart by their hosts: what comes later and does not fit is
 * left out (`mergeGateways` of istiod).
 */
function withoutConflicts(servers: readonly BoundServer[]): BoundServer[] {
  const ports = new Map<number, Taken>()
  const routes = new Set<string>()
  return servers.filter((s) => {
    const known = ports.get(s.listenPort)
    const taken = known ?? { plain: undefined, tlsHosts: new Map() }
    if (s.server.tls !== undefined && !takeHosts(taken.tlsHosts, hostsFrom(s), s.bind)) return false
    ports.set(s.listenPort, taken)
    if (known !== undefined && !fits(s, taken, routes)) return false
    const endsTls = s.server.tls !== undefined && !isHttp(s.protocol)
    if (!endsTls && taken.plain?.bind !== s.bind) taken.plain = s
    routes.add(s.routeName)
    return true
  })
}

function fits(s: BoundServer, { plain }: Taken, routes: ReadonlySet<string>): boolean {
  if (plain !== undefined) return plain.bind !== s.bind || (isHttp(s.protocol) && isHttp(plain.protocol))
  return !s.terminatesHttps || !routes.has(s.routeName)
}

/** False, and nothing is taken, when one of them is taken on the address. */
export function takeHosts(taken: Map<string, string>, hosts: readonly string[], bind: string): boolean {
  if (hosts.some((host) => taken.get(host) === bind)) return false
  for (const host of hosts) taken.set(host, bind)
  return true
}

/** Hosts with the namespace that they are for, but those for all: `shop/a.example`, `a.example`. */
export function hostsFrom({ server, gateway }: BoundServer): readonly string[] {
  if (server.hosts.includes('*/*')) return ['*']
  return server.hosts.map((text) => {
    const slash = text.indexOf('/')
    const from = text.slice(0, Math.max(0, slash))
    return from === '*' ? text.slice(2) : from === '.' ? `${gateway.metadata.namespace}${text.slice(slash)}` : text
  })
}

/** Hosts without their namespaces, in order; `*` means no SNI match at all. */
export function sniHosts(server: Server): readonly string[] {
  return hostsOf(server).sni
}

/** The hosts of a server that a VirtualService of `namespace` may use. */
export function hostsFor(server: Server, gatewayNamespace: string, namespace: string): readonly string[] {
  const hosts = hostsOf(server)
  if (hosts.open) return hosts.names
  return hosts.names.filter((_, i) => {
    const from = hosts.from[i]
    return from === '*' || from === namespace || (from === '.' && namespace === gatewayNamespace)
  })
}

/** Hosts of a server, in lower case, and who may use each: a namespace, `.` or `*`. */
interface ServerHosts {
  readonly names: readonly string[]
  /** The same, each once, in order. */
  readonly sni: readonly string[]
  readonly from: readonly string[]
  /** Everybody may use all. */
  readonly open: boolean
}

// Each is compared with many VirtualServices.
const parsed: SideTable<ServerHosts> = createSideTable()

function hostsOf(server: Server): ServerHosts {
  let hosts = parsed.of(server)
  if (hosts === undefined) parsed.set(server, (hosts = serverHosts(server)))
  return hosts
}

function serverHosts({ hosts }: Server): ServerHosts {
  const names = hosts.map((text) => text.slice(text.indexOf('/') + 1).toLowerCase())
  const from = hosts.map((text) => (text.includes('/') ? text.slice(0, text.indexOf('/')) : '*'))
  return { names, sni: [...new Set(names)].sort(), from, open: from.every((one) => one === '*') }
}

export function overlaps(hosts: readonly string[], others: readonly string[]): boolean {
  return hosts.some((h) => others.some((o) => hostsOverlap(h, o)))
}
