type Tree = Record<string, unknown>

/** Lists of a pod that Kubernetes merges by a key of their elements (`patchMergeKey` in its API types); all others are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  imagePullSecrets: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
}

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
    else if (Array.isArray(value) && value.length === 0 && MERGE_KEYS[field] !== undefined) continue
    else if (Array.isArray(value)) merged[field] = mergeLists(field, Array.isArray(present) ? present : [], value)
    else merged[field] = value
  }
  return merged
}

function mergeLists(field: string, base: readonly unknown[], overlay: readonly unknown[]): unknown[] {
  const key = MERGE_KEYS[field]
  if (key === undefined || !base.every(isTree) || !overlay.every(isTree)) return [...overlay]
  const place = (element: Tree): number => base.findIndex((present) => present[key] === element[key])
  const patched = overlay.map((element) => mergeObjects(base[place(element)] ?? {}, element))
  const kept = base.filter((present) => !overlay.some((element) => element[key] === present[key]))
  // Kubernetes' order: what both lists know stands as in the base; what only the overlay knows comes before what is kept.
  const merged: Tree[] = []
  for (const element of kept) {
    while (patched.length > 0 && !(place(patched[0]!) > place(element))) merged.push(patched.shift()!)
    merged.push(element)
  }
  return [...merged, ...patched]
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
