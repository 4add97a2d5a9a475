import { lineDiff } from './line-diff.js'
import type { Dump } from './read.js'

/** A resource that a control plane sent and a proxy holds otherwise. */
export interface Difference {
  readonly name: string
  /** Undefined: it was not sent. */
  readonly sent?: unknown
  /** Undefined: the proxy does not have it. */
  readonly held?: unknown
}

const TYPES = ['clusters', 'listeners', 'routes'] as const

export type Comparison = Readonly<Record<(typeof TYPES)[number], readonly Difference[]>>

/** What of `sent` a proxy holds otherwise, and what it has besides, by name. Both are dumps of what is dynamic alone. */
export function compareDumps(sent: Dump, held: Dump): Comparison {
  return {
    clusters: differences(sent.clusters, held.clusters),
    listeners: differences(sent.listeners, held.listeners),
    routes: differences(sent.routes, held.routes),
  }
}

/** `Clusters Match`, or what differs, as istioctl tells it. */
export function formatComparison(comparison: Comparison): string {
  return TYPES.map((type) => {
    const title = `${type[0]?.toUpperCase()}${type.slice(1)}`
    const found = comparison[type]
    if (found.length === 0) return `${title} Match\n`
    const bodies = found.map(({ name, sent, held }) => `# ${name}\n${lineDiff(linesOf(sent), linesOf(held))}`)
    return `--- Control plane ${title}\n+++ Proxy ${title}\n${bodies.join('')}`
  }).join('')
}

type Named = { readonly name?: string | undefined }

function differences(sent: readonly Named[], held: readonly Named[]): Difference[] {
  const [byName, heldByName] = [named(sent), named(held)]
  const names = [...new Set([...byName.keys(), ...heldByName.keys()])].sort()
  return names
    .map((name): Difference => ({ name, sent: byName.get(name), held: heldByName.get(name) }))
    .filter((difference) => JSON.stringify(difference.sent) !== JSON.stringify(difference.held))
}

function named(resources: readonly Named[]): ReadonlyMap<string, unknown> {
  // An admin page packs each resource into an Any: its type is known here.
  return new Map(resources.map((resource) => [resource.name ?? '', canonical({ ...resource, '@type': undefined })]))
}

/** Fields by name: who encodes messages, orders them as he likes. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, inner]) => [name, canonical(inner)]))
}

function linesOf(value: unknown): string[] {
  return value === undefined ? [] : JSON.stringify(value, undefined, 2).split('\n')
}
