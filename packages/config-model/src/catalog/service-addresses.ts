import { type Collection, createSource, derive, type Graph, type Index, index, type Read } from '@heddle/runtime'
import type { ServiceEntry } from '../kinds/service-entry.js'
import { compareText } from '../sorted-list.js'

/**
 * Addresses of 240.240.0.0/16 for hosts of ServiceEntries that have none, so that a proxy that answers DNS can tell such services apart. What
 * Istio's controller wrote into a status counts first (networking/v1 ServiceEntryStatus.addresses). For the others the host's name decides, and not
 * the order of events: after a restart every host has the address that it had.
 */
export interface ServiceAddresses {
  /** undefined: it needs none, or all 65,534 are taken. */
  of(read: Read, namespace: string, host: string): string | undefined
}

/** Usable addresses: without the first, the network's own, and the last. */
const SLOTS = 65_534
const PREFIX = '240.240.'

interface Claim {
  /** `namespace/host`. */
  readonly key: string
  readonly createdAt: string
}

export function allocateAddresses(graph: Graph, entries: Collection<ServiceEntry>): ServiceAddresses {
  const taken = index(entries, (entry) => namedSlots(entry).map(String), { name: 'catalog.addresses.taken' })
  const byHost = index(entries, hostsInNeed, { name: 'catalog.addresses.hosts' })
  const claims: Collection<Claim> = derive(byHost, (group, _read, key) => ({ key, createdAt: oldest(group) }), {
    name: 'catalog.addresses.claims',
  })
  const bySlot = index(claims, ({ key }) => String(slotOf(key)), { name: 'catalog.addresses.slots' })
  const losers = derive(bySlot, (group, read, slot) => losersOf(group, read, slot, taken), { name: 'catalog.addresses.losers' })
  const once = createSource<true>({ graph, name: 'catalog.addresses' })
  once.set('', true)
  const elsewhere = derive(once, (_one, read) => resettle(read.all(losers).flat(), read, bySlot, taken), {
    name: 'catalog.addresses.elsewhere',
  })
  return {
    of(read, namespace, host) {
      const key = `${namespace}/${host}`
      if (read.get(claims, key) === undefined) return undefined
      const slot = slotOf(key)
      const lost = read.get(losers, String(slot))?.some((claim) => claim.key === key) === true
      const settled = lost ? read.get(elsewhere, '')?.[key] : slot
      return settled === undefined ? undefined : addressOf(settled)
    },
  }
}

// Istio (serviceentry: ShouldV2AutoAllocateIP, and conversion): not for wildcards nor for resolution NONE, whose addresses a proxy could not use.
function hostsInNeed({ metadata, spec, status }: ServiceEntry): readonly string[] {
  if ((spec.addresses ?? []).length > 0 || (spec.resolution ?? 'NONE') === 'NONE') return []
  if (metadata.labels['networking.istio.io/enable-autoallocate-ip']?.toLowerCase() === 'false') return []
  return spec.hosts
    .filter((host) => !host.startsWith('*') && statusAddresses(status, host).length === 0)
    .map((host) => `${metadata.namespace}/${host.toLowerCase()}`)
}

/** What a controller wrote: `{addresses: [{value, host}]}`; one without a host is for all. */
export function statusAddresses(status: unknown, host: string): readonly string[] {
  const written = (status as { addresses?: unknown } | undefined)?.addresses
  if (!Array.isArray(written)) return []
  return written.flatMap((address: unknown) => {
    const { value, host: of } = (address ?? {}) as { value?: unknown; host?: unknown }
    return typeof value === 'string' && (of === undefined || of === '' || of === host) ? [value] : []
  })
}

// Slots that statuses and people have chosen.
function namedSlots({ spec, status }: ServiceEntry): readonly number[] {
  const addresses = [...(spec.addresses ?? []), ...spec.hosts.flatMap((host) => statusAddresses(status, host))]
  return addresses
    .filter((address) => address.startsWith(PREFIX) && !address.includes('/'))
    .map((address) => {
      const [, , third = 0, fourth = 0] = address.split('.').map(Number)
      return third * 256 + fourth - 1
    })
}

function oldest(group: readonly ServiceEntry[]): string {
  return group.map(({ metadata }) => metadata.creationTimestamp ?? '').sort(compareText)[0] ?? ''
}

/** All of a slot but the oldest; all of them where the slot is somebody's by name. */
function losersOf(group: readonly Claim[], read: Read, slot: string, taken: Index<ServiceEntry>): readonly Claim[] | undefined {
  const byAge = [...group].sort(compareClaims)
  const losers = read.list(taken, slot).length > 0 ? byAge : byAge.slice(1)
  return losers.length === 0 ? undefined : losers
}

/** The next free slots for those who lost theirs, the oldest first. */
function resettle(
  losers: readonly Claim[],
  read: Read,
  bySlot: Index<Claim>,
  taken: Index<ServiceEntry>,
): Readonly<Record<string, number>> {
  const settled: Record<string, number> = {}
  const given = new Set<number>()
  for (const { key } of [...losers].sort(compareClaims)) {
    let slot = slotOf(key)
    for (let tries = 0; tries < SLOTS; tries++) {
      slot = (slot + 1) % SLOTS
      if (given.has(slot) || read.list(bySlot, String(slot)).length > 0 || read.list(taken, String(slot)).length > 0) continue
      settled[key] = slot
      given.add(slot)
      break
    }
  }
  return settled
}

function compareClaims(a: Claim, b: Claim): number {
  return compareText(a.createdAt, b.createdAt) || compareText(a.key, b.key)
}

// FNV-1a with a last mix, because similar names differ in their last letters.
function slotOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) % SLOTS
}

function addressOf(slot: number): string {
  return `${PREFIX}${(slot + 1) >> 8}.${(slot + 1) & 255}`
}
