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
  const { transport_socket, transport_socket_matches } = owner as { transport_socket?: object; transport_socket_matches?: object }
  collect(transport_socket, names)
  collect(transport_socket_matches, names)
}

function collect(value: unknown, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { name, sds_config } = value as { name?: unknown; sds_config?: { ads?: object } }
  if (typeof name === 'string' && sds_config?.ads !== undefined) names.add(name)
  for (const inner of Object.values(value)) collect(inner, names)
}
