import type { ResourceSet } from '@heddle/xds-types'

/** The part of a user's object that something in a resource came from. File and line are looked up when shown (`OriginIndex.locate`). */
export interface Provenance {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** As in diagnostics: `spec.http[0].route[1]`; '' is the whole object. */
  readonly path: string
}

/** What the builders write while they build: any message inside a resource, or one of its fields, with the objects behind it. */
export interface Origins {
  /** Says that `message` (or its field) came from `source`. Gives the message back, so that it can wrap an expression. */
  mark<T extends object>(message: T, source: Provenance, field?: string): T
  /** Gives `to` every mark of `from`, of which it is a changed copy. */
  copy<T extends object>(from: T, to: T): T
  /** What was marked, in the order of marking. */
  of(message: object, field?: string): readonly Provenance[]
}

/** Answers where things came from, for one translated {@link ResourceSet}. */
export interface ProvenanceIndex {
  /**
   * The objects behind a field, the most specific first: those of the field itself, then of the messages around it, then of the resource.
   * `fieldPath` is a path of proto field names: `virtual_hosts[0].routes[1].route.cluster`; a list element may also be named: `virtual_hosts[reviews:80]`,
   * and a map key stands in quotes: `rules.policies["ns[a]-policy[b]-rule[0]"]`.
   */
  of(typeUrl: string, resourceName: string, fieldPath?: string): readonly Provenance[]
  /** Every message and field inside a resource that says where it came from, outer before inner; what is between has what is around it. */
  fieldsOf(typeUrl: string, resourceName: string): readonly FieldProvenance[]
}

export interface FieldProvenance {
  /** As `fieldPath` of {@link ProvenanceIndex.of}, with numbers for list elements; '' is the whole resource. */
  readonly field: string
  readonly from: readonly Provenance[]
}

const NONE: readonly Provenance[] = []
const WHOLE = ''

/** Keyed by the identity of the message: sorting, sharing and nesting it keep the marks. */
export function createOrigins(): Origins {
  const marks = new WeakMap<object, Map<string, Provenance[]>>()
  return {
    mark(message, source, field = WHOLE) {
      const fields = marks.get(message) ?? new Map<string, Provenance[]>()
      marks.set(message, fields)
      fields.set(field, [...(fields.get(field) ?? []), source])
      return message
    },
    copy(from, to) {
      const fields = marks.get(from)
      if (fields !== undefined) marks.set(to, new Map(fields))
      return to
    },
    of: (message, field = WHOLE) => marks.get(message)?.get(field) ?? NONE,
  }
}

/** For who does not ask. */
export const NO_ORIGINS: Origins = { mark: (message) => message, copy: (_from, to) => to, of: () => NONE }

/** The source of a resource of the user. */
export function sourceOf(
  resource: { readonly kind: string; readonly metadata: { readonly namespace: string; readonly name: string } },
  path = '',
): Provenance {
  return { kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name, path }
}

/** The source behind a key like `Service default/reviews`. */
export function sourceOfKey(key: string, path = ''): Provenance {
  const space = key.indexOf(' ')
  const slash = key.indexOf('/', space)
  return { kind: key.slice(0, space), namespace: key.slice(space + 1, slash), name: key.slice(slash + 1), path }
}

export function createProvenanceIndex(resources: ResourceSet, origins: Pick<Origins, 'of'>): ProvenanceIndex {
  return {
    of(typeUrl, resourceName, fieldPath = '') {
      const resource = find(resources, typeUrl, resourceName)
      if (resource === undefined) return NONE
      const found: Provenance[][] = [[...origins.of(resource)]]
      let at: unknown = resource
      for (const step of steps(fieldPath)) {
        if (!isObject(at)) break
        if (!Array.isArray(at)) found.push([...origins.of(at, step)])
        at = Array.isArray(at) ? element(at, step) : (at as Record<string, unknown>)[step]
        if (isObject(at) && !Array.isArray(at)) found.push([...origins.of(at)])
      }
      return distinct(found.reverse().flat())
    },
    fieldsOf(typeUrl, resourceName) {
      const resource = find(resources, typeUrl, resourceName)
      return resource === undefined ? [] : [...fieldsIn(resource, '', origins)]
    },
  }
}

function* fieldsIn(message: object, path: string, origins: Pick<Origins, 'of'>): Iterable<FieldProvenance> {
  const own = origins.of(message)
  if (own.length > 0) yield { field: path, from: distinct(own) }
  for (const [key, value] of Object.entries(message)) {
    const field = Array.isArray(message) ? `${path}[${key}]` : fieldAt(path, key)
    const marked = origins.of(message, key)
    if (marked.length > 0) yield { field, from: distinct(marked) }
    if (isObject(value)) yield* fieldsIn(value, field, origins)
  }
}

function fieldAt(path: string, key: string): string {
  if (!/^[\w@]+$/.test(key)) return `${path}["${key}"]`
  return path === '' ? key : `${path}.${key}`
}

function find(set: ResourceSet, typeUrl: string, name: string): object | undefined {
  for (const group of set.groups) {
    const found = group.resources.get(typeUrl)?.find((r) => resourceName(r) === name)
    if (found !== undefined) return found
  }
  return undefined
}

function resourceName(resource: object): string | undefined {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return cluster_name ?? name
}

/** `a.b[0]["c[d]"]` and `a.b[c d]` as steps. Names inside brackets may hold dots, in quotes brackets too. */
function steps(path: string): string[] {
  return [...path.matchAll(/\["([^"]*)"\]|\[([^\]]*)\]|([^.[\]]+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? '')
}

function element(list: readonly unknown[], step: string): unknown {
  if (/^\d+$/.test(step)) return list[Number(step)]
  return list.find((e) => isObject(e) && (e as { name?: unknown }).name === step)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function distinct(list: readonly Provenance[]): readonly Provenance[] {
  const seen = new Set<string>()
  return list.filter((p) => {
    const key = `${p.kind} ${p.namespace}/${p.name} ${p.path}`
    return seen.has(key) ? false : seen.add(key)
  })
}
