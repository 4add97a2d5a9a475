import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import { resourceTypes } from '@heddle/xds-types/known'
import { encodeResource } from '@heddle/xds-types/resources'

const types = new Map(resourceTypes.map((type) => [type.typeUrl, type]))

function encode(typeUrl: string, resource: object): number {
  const type = types.get(typeUrl)
  if (type === undefined) throw new Error(`no type ${typeUrl}`)
  const encoded = encodeResource(type, resource)
  if (!encoded.ok) throw new Error(`${encoded.diagnostics[0]?.path}: ${encoded.diagnostics[0]?.message}`)
  return encoded.value.bytes.length
}

/** Writes every resource of a set; returns the bytes. */
export function encodeAll(set: ResourceSet): number {
  let bytes = 0
  for (const group of set.groups)
    for (const [type, list] of group.resources) for (const resource of list) bytes += encode(type, resource)
  return bytes
}

/** Finds and writes what proxies lack: a pair of groups is compared once, however many proxies hold it. */
export interface Differ {
  /** From the one set to the other: how many resources the proxy is to be sent. */
  diff(before: ResourceSet | undefined, after: ResourceSet): number
  /** Written so far. */
  readonly bytes: number
}

const NOTHING: ResourceGroup = { id: '', resources: new Map() }

export function createDiffer(): Differ {
  const pairs = new WeakMap<ResourceGroup, WeakMap<ResourceGroup, number>>()
  let bytes = 0
  const compare = (before: ResourceGroup, after: ResourceGroup): number => {
    let changed = 0
    for (const [type, list] of after.resources) {
      const had = new Set(before.resources.get(type))
      for (const resource of list) {
        if (had.has(resource)) continue
        changed++
        bytes += encode(type, resource)
      }
    }
    return changed
  }
  return {
    get bytes() {
      return bytes
    },
    diff(before, after) {
      let changed = 0
      for (const [i, group] of after.groups.entries()) {
        const old = before?.groups[i] ?? NOTHING
        if (old === group) continue
        const row = pairs.get(old) ?? new WeakMap<ResourceGroup, number>()
        pairs.set(old, row)
        let count = row.get(group)
        if (count === undefined) row.set(group, (count = compare(old, group)))
        changed += count
      }
      return changed
    },
  }
}
