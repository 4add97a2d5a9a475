import { isHttp, type PortProtocol } from '@heddle/config-model'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { parseBool } from '../pilot-features.js'

export const WILDCARD = '0.0.0.0'
export const LOOPBACK = '127.0.0.1'

const FIRST_UNPRIVILEGED = 1024

/** Whether a listener may stand there: no privileged port for an unprivileged proxy, none that the proxy itself uses. */
export function canBind(build: Build, bindToPort: boolean, bind: string, port: number, protocol: PortProtocol): boolean {
  if (bindToPort && port < FIRST_UNPRIVILEGED && build.proxy.unprivileged) return false
  // A listener on a service's own address, or one that gets such an address later, is no neighbour of 0.0.0.0.
  if (bind === '' ? !isHttp(protocol) : bind !== WILDCARD) return true
  const { metadata } = build.proxy
  const own = [
    metadata['ENVOY_STATUS_PORT'],
    metadata['ENVOY_PROMETHEUS_PORT'],
    build.mesh.proxyListenPort,
    build.mesh.proxyInboundListenPort,
  ]
  return !own.some((p) => p !== undefined && Number(p) === port)
}

export function socketAddress(
  address: string,
  port: number,
): { socket_address: { address: string; port_value: number } } | { pipe: { path: string } } {
  return address.startsWith('unix://')
    ? { pipe: { path: address.slice('unix://'.length) } }
    : { socket_address: { address, port_value: port } }
}

/** How many connections a listener takes before it looks after those that it has; undefined: as many as come. */
export function acceptedAtOnce({ features }: Build): number | undefined {
  return features.acceptedAtOnce > 0 ? features.acceptedAtOnce : undefined
}

/** Node metadata INBOUND_LISTENER_EXACT_BALANCE and OUTBOUND_LISTENER_EXACT_BALANCE: every worker gets as many connections as the others. */
export function connectionBalance(
  { proxy }: Pick<Build, 'proxy'>,
  way: 'INBOUND' | 'OUTBOUND',
): Listener['connection_balance_config'] {
  const asked = proxy.metadata[`${way}_LISTENER_EXACT_BALANCE`]
  return parseBool(String(asked)) === true ? { exact_balance: {} } : undefined
}
