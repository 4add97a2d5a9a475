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
  for (const [field, value] of Object.entries(overlay)) {
    const present = merged[field]
    if (value === null) delete merged[field]
    else if (value === undefined) continue
    else if (isTree(value)) merged[field] = mergeObjects(isTree(present) ? present : {}, value)
    else if (Array.isArray(value) && value.length === 0 && MERGE_KEYS.has(field)) continue
    else if (Array.isArray(value)) merged[field] = mergeLists(field, Array.isArray(present) ? present : [], value)
    else merged[field] = value
  }
  return merged
}

function mergeLists(field: string, base: readonly unknown[], overlay: readonly unknown[]): unknown[] {
  const key = MERGE_KEYS.get(field)
  if (key === undefined || !base.every(isTree) || !overlay.every(isTree)) return [...overlay]
  // Where each stands in the base: the first of a name counts.
  const places = new Map<unknown, number>()
  base.forEach((element, at) => void (places.has(element[key]) || places.set(element[key], at)))
  const patched = overlay.map((element) => {
    const place = places.get(element[key])
    return { place: place ?? -1, element: mergeObjects(place === undefined ? {} : base[place]!, element) }
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
