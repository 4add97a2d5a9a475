type Tree = Record<string, unknown>

/** Lists of a pod that Kubernetes merges by a key of their elements (`patchMergeKey` in its API types); all others are replaced. */
export const MERGE_KEYS: ReadonlyMap<string, string> = new Map([
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['ephemeralContainers', 'name'],
  ['volumes', 'name'],
  ['imagePullSecrets', 'name'],
  ['env', 'name'],
  ['ports', 'containerPort'],
  ['volumeMounts', 'mountPath'],
  ['volumeDevices', 'devicePath'],
  ['hostAliases', 'ip'],
  ['topologySpreadConstraints', 'topologyKey'],
])

/** Kubernetes' strategic merge of a pod: objects field by field, keyed lists element by element, `null` removes. Neither input changes. */
export function strategicMerge<T extends object>(base: T, overlay: object): T {
  return mergeObjects(base as unknown as Tree, overlay as Tree) as unknown as T
}

function mergeObjects(base: Tree, overlay: Tree): Tree {
  const merged: Tree = { ...base }
  for (const field of Object.keys(overlay)) {
    const value = overlay[field]
    if (value === null) delete merged[field]
    else if (saysNothing(field, value)) continue
    else if (isTree(value)) {
      const present = merged[field]
      merged[field] = isTree(present) ? mergeObjects(present, value) : copyOf(value)
    } else if (Array.isArray(value)) {
      const present = merged[field]
      merged[field] = mergeLists(field, Array.isArray(present) ? present : [], value)
    } else merged[field] = value
  }
  return merged
}

function saysNothing(field: string, value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0 && MERGE_KEYS.has(field))
}

/** What `mergeObjects` makes of an overlay over nothing, in less time: most of a pod comes this way. Shared with nobody. */
function copyOf(overlay: Tree): Tree {
  const copy: Tree = { ...overlay }
  for (const field of Object.keys(copy)) {
    const value = copy[field]
    if (value === null || saysNothing(field, value)) delete copy[field]
    else if (Array.isArray(value)) copy[field] = mergeLists(field, [], value)
    else if (typeof value === 'object') copy[field] = copyOf(value as Tree)
  }
  return copy
}

function mergeLists(field: string, base: readonly unknown[], overlay: readonly unknown[]): unknown[] {
  const key = MERGE_KEYS.get(field)
  if (key === undefined || !base.every(isTree) || !overlay.every(isTree)) return [...overlay]
  if (base.length === 0) return overlay.map(copyOf)
  // Where each stands in the base: the first of a name counts.
  const places = new Map<unknown, number>()
  base.forEach((element, at) => void (places.has(element[key]) || places.set(element[key], at)))
  const patched = overlay.map((element) => {
    const place = places.get(element[key])
    return { place: place ?? -1, element: place === undefined ? copyOf(element) : mergeObjects(base[place]!, element) }
  })
  const written = new Set(overlay.map((element) => element[key]))
  // Kubernetes' order: what both lists know stands as in the base; what only the overlay knows comes before what is kept.
  const merged: Tree[] = []
  let next = 0
  for (const element of base) {
    if (written.has(element[key])) continue
    const place = places.get(element[key])!
    while (next < patched.length && patched[next]!.place <= place) merged.push(patched[next++]!.element)
    merged.push(element)
  }
  return [...merged, ...patched.slice(next).map(({ element }) => element)]
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
