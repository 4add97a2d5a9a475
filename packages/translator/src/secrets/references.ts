import type { ResourceGroup } from '@heddle/xds-types'
import { CLUSTER_TYPE, LISTENER_TYPE } from '../message.js'

const found = new WeakMap<ResourceGroup, readonly string[]>()

const inOne = new WeakMap<object, readonly string[]>()

/** SDS names that the group's listeners and clusters ask for over ADS. Found once per group and resource. */
export function secretNamesOf(group: ResourceGroup): readonly string[] {
  let names = found.get(group)
  if (names === undefined) {
    const listeners = (group.resources.get(LISTENER_TYPE) ?? []).flatMap((listener) => namesIn(listener, inListener))
    const clusters = (group.resources.get(CLUSTER_TYPE) ?? []).flatMap((cluster) => namesIn(cluster, inSockets))
    names = [...new Set([...listeners, ...clusters])]
    found.set(group, names)
  }
  return names
}

function namesIn(resource: object, look: (resource: object, names: Set<string>) => void): readonly string[] {
  let names = inOne.get(resource)
  if (names === undefined) {
    const set = new Set<string>()
    look(resource, set)
    names = [...set]
    inOne.set(resource, names)
  }
  return names
}

function inListener(listener: object, names: Set<string>): void {
  const { filter_chains = [], default_filter_chain } = listener as { filter_chains?: object[]; default_filter_chain?: object }
  for (const chain of filter_chains) inSockets(chain, names)
  if (default_filter_chain !== undefined) inSockets(default_filter_chain, names)
}

/** Of all that a cluster or filter chain has, only transport sockets name secrets. */
function inSockets(owner: object, names: Set<string>): void {
  const { transport_socket, transport_socket_matches = [] } = owner as {
    transport_socket?: Socket
    transport_socket_matches?: readonly { transport_socket?: Socket }[]
  }
  inSocket(transport_socket, names)
  for (const match of transport_socket_matches) inSocket(match.transport_socket, names)
}

interface Socket {
  readonly typed_config?: { readonly common_tls_context?: object }
}

function inSocket(socket: Socket | undefined, names: Set<string>): void {
  collect(socket?.typed_config?.common_tls_context, names)
}

/** Every secret of a TLS context that comes over ADS. Lists of names and versions hold none. */
function collect(value: unknown, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { name, sds_config } = value as { name?: unknown; sds_config?: { ads?: object } }
  if (sds_config !== undefined) {
    if (typeof name === 'string' && sds_config.ads !== undefined) names.add(name)
    return
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') collect(inner, names)
  }
}
