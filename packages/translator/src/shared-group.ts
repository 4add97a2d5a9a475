import type { MeshSnapshot } from '@heddle/config-model'
import type { ResourceGroup } from '@heddle/xds-types'
import type { Build } from './build.js'
import type { Origins } from './provenance.js'
import type { ProxyDescriptor } from './proxy.js'

/** A group of resources and what was marked while it was built. */
export interface SharedGroup {
  readonly group: ResourceGroup
  readonly origins: Origins
}

const made = new WeakMap<MeshSnapshot, Map<string, SharedGroup>>()

/**
 * The group of all proxies of a snapshot that are alike but for who they are: replicas hold the very same objects, so that what compares or
 * encodes a set does it once. `make` must not read the proxy's id or addresses. Remembered as long as the snapshot lives.
 */
export function sharedGroup(build: Build, make: () => ResourceGroup): SharedGroup {
  const ofSnapshot = made.get(build.snapshot) ?? new Map<string, SharedGroup>()
  made.set(build.snapshot, ofSnapshot)
  const key = likeness(build.proxy, build.domainSuffix)
  const known = ofSnapshot.get(key)
  if (known !== undefined) return known
  const shared = { group: make(), origins: build.origins }
  ofSnapshot.set(key, shared)
  return shared
}

// Node metadata that tells replicas apart, and nothing else.
const OWN_METADATA: ReadonlySet<string> = new Set(['NAME', 'INSTANCE_IPS'])

function likeness(proxy: ProxyDescriptor, domainSuffix: string): string {
  const { id: _, addresses: __, labels, metadata, ...rest } = proxy
  const shared = Object.entries(metadata).filter(([name]) => !OWN_METADATA.has(name))
  return JSON.stringify([domainSuffix, rest, sortedEntries(Object.entries(labels)), sortedEntries(shared)])
}

function sortedEntries<T>(entries: [string, T][]): [string, T][] {
  return entries.sort(([a], [b]) => (a < b ? -1 : 1))
}
