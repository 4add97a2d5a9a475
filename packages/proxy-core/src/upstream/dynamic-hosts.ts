import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { SocketAddress } from '../net/connection.js'
import type { Endpoint } from './endpoint.js'
import type { Host } from './host.js'
import type { PickContext } from './load-balancer.js'

/** Addresses that a dynamic forward proxy has found, by `host:port`. */
export interface ResolvedHosts {
  get(hostPort: string): Endpoint | undefined
}

/** The requests themselves say where they go: nobody announces endpoints. */
export function isDynamic({ discovery: { kind } }: CompiledCluster): boolean {
  return kind === 'ORIGINAL_DST' || kind === 'DYNAMIC_FORWARD_PROXY'
}

/** The endpoint that a request names: by its original destination, a header, or its Host; a connection, by its server name. */
export function dynamicEndpoint(
  { discovery }: CompiledCluster,
  { head, hostPort }: PickContext,
  destination: SocketAddress | undefined,
  resolved: ResolvedHosts | undefined,
): Endpoint | undefined {
  if (discovery.kind === 'DYNAMIC_FORWARD_PROXY') {
    const wanted = hostPort ?? (head && hostPortOf(head.authority, discovery.defaultPort))
    return wanted === undefined ? undefined : resolved?.get(wanted)
  }
  if (discovery.kind !== 'ORIGINAL_DST') return undefined
  const named = discovery.headerName === undefined ? undefined : parseAddress(head?.headers.get(discovery.headerName))
  const found = named ?? (discovery.headerName === undefined ? destination : undefined)
  return found && endpointAt({ address: found.address, port: discovery.port ?? found.port })
}

const NOWHERE = { region: '', zone: '', subZone: '' }

export function endpointAt(address: SocketAddress, hostname?: string): Endpoint {
  const named = hostname === undefined ? {} : { hostname }
  return { address, ...named, weight: 1, priority: 0, locality: NOWHERE, health: 'UNKNOWN', metadata: {} }
}

/** `host:port` of an authority, in lower case. */
export function hostPortOf(authority: string, defaultPort: number): string {
  return (/:\d+$/.test(authority) ? authority : `${authority}:${defaultPort}`).toLowerCase()
}

/** The other way round; brackets of IPv6 are no part of the host. */
export function splitHostPort(hostPort: string): SocketAddress {
  const at = hostPort.lastIndexOf(':')
  const host = hostPort.slice(0, at)
  return { address: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(hostPort.slice(at + 1)) }
}

function parseAddress(text: string | undefined): SocketAddress | undefined {
  const found = text === undefined ? null : /^(?:\[([0-9a-fA-F:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):(\d{1,5})$/.exec(text)
  return found === null ? undefined : { address: found[1] ?? found[2]!, port: Number(found[3]) }
}

/** Forgets hosts that nobody is connected to, every `intervalMs` (cleanup_interval). */
export function sweepHosts(hosts: Map<string, Host>, clock: Clock, intervalMs: number): Unsubscribe {
  let stop = clock.after(intervalMs, sweep)
  function sweep(): void {
    for (const [key, host] of hosts) {
      const idle = host.activeConnections === 0 && [...host.pools.values()].every(({ empty }) => empty)
      if (idle) hosts.delete(key)
    }
    stop = clock.after(intervalMs, sweep)
  }
  return () => stop()
}
