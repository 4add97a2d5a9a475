import { createWatch, type Diagnostic, type Origin, type Watch } from '@heddle/runtime'
import type { AnyResource } from './kinds/index.js'
import { createOriginIndex, type DocumentOrigin, locate } from './origins.js'
import { type ReadResult, readYaml } from './read.js'
import { keyOf, type OriginIndex, type ResourceKey } from './resource.js'
import { compareText } from './sorted-list.js'
import type { Store } from './store.js'

/** What a file says now: its text, or why it has none; undefined: it is gone. */
export type FileContent = { readonly text: string } | { readonly error: string } | undefined

export interface FileSetOptions {
  store: Store
  /** Of namespaced objects that name none; default `default`. */
  defaultNamespace?: string
}

/**
 * Files of YAML as the source of a store. A document that became bad keeps its last good version; a file that cannot be read at all
 * keeps everything. An object written in two files is taken from the one whose name sorts first.
 */
export interface FileSet {
  /** Takes up changed files as one batch. */
  update(changes: ReadonlyMap<string, FileContent>): void
  /** Of all files, by file and line. */
  readonly diagnostics: Watch<readonly Diagnostic[]>
  readonly origins: OriginIndex
}

interface Entry {
  readonly resources: ReadonlyMap<ResourceKey, AnyResource>
  readonly documents: ReadonlyMap<ResourceKey, DocumentOrigin>
  readonly diagnostics: readonly Diagnostic[]
}

export function createFileSet({ store, defaultNamespace }: FileSetOptions): FileSet {
  const entries = new Map<string, Entry>()
  const owners = new Map<ResourceKey, readonly string[]>()
  const diagnostics = createWatch<readonly Diagnostic[]>([])

  const ownerOf = (key: ResourceKey): Entry | undefined => {
    const file = owners.get(key)?.[0]
    return file === undefined ? undefined : entries.get(file)
  }
  const replace = (file: string, next: Entry | undefined): Set<ResourceKey> => {
    const before = entries.get(file)
    const touched = new Set<ResourceKey>([...(before?.resources.keys() ?? []), ...(next?.resources.keys() ?? [])])
    if (next === undefined) entries.delete(file)
    else entries.set(file, next)
    for (const key of touched) {
      const others = (owners.get(key) ?? []).filter((owner) => owner !== file)
      const all = next?.resources.has(key) ? [...others, file].sort(compareText) : others
      if (all.length === 0) owners.delete(key)
      else owners.set(key, all)
    }
    return touched
  }
  const origins = createOriginIndex((key) => ownerOf(key)?.documents.get(key))
  return {
    diagnostics,
    origins,
    update(changes) {
      const touched = new Set<ResourceKey>()
      for (const [file, content] of changes) {
        const next = content === undefined ? undefined : readEntry(file, content, entries.get(file), defaultNamespace)
        for (const key of replace(file, next)) touched.add(key)
      }
      const set: AnyResource[] = []
      const remove: ResourceKey[] = []
      for (const key of touched) {
        const resource = ownerOf(key)?.resources.get(key)
        if (resource === undefined) remove.push(key)
        else set.push(resource)
      }
      store.apply({ set, remove })
      diagnostics.set([...allDiagnostics(entries), ...duplicates(entries, owners), ...endpointless(store, origins)])
    },
  }
}

function readEntry(
  file: string,
  content: NonNullable<FileContent>,
  before: Entry | undefined,
  defaultNamespace: string | undefined,
): Entry {
  if ('error' in content) {
    const diagnostic: Diagnostic = {
      code: 'config.file',
      severity: 'error',
      path: '',
      message: content.error,
      origin: { file, line: 1 },
    }
    return { resources: before?.resources ?? new Map(), documents: before?.documents ?? new Map(), diagnostics: [diagnostic] }
  }
  const read = readYaml(content.text, defaultNamespace === undefined ? { file } : { file, defaultNamespace })
  const resources = new Map(read.resources.map((resource) => [keyOf(resource), resource]))
  const documents = new Map(read.documents)
  const kept: Diagnostic[] = []
  for (const key of keptKeys(read, before)) {
    const resource = before?.resources.get(key)
    const document = before?.documents.get(key)
    if (resource === undefined || document === undefined || resources.has(key)) continue
    resources.set(key, resource)
    documents.set(key, document)
    const message = 'stays in force as it was before the last change of this file'
    kept.push({
      code: 'config.kept',
      severity: 'info',
      path: '',
      message,
      subject: key,
      origin: reasonOf(read, key) ?? { file, line: 1 },
    })
  }
  return { resources, documents, diagnostics: [...read.diagnostics, ...kept] }
}

// When some document cannot be read, it may be any of those that are missing now.
function keptKeys(read: ReadResult, before: Entry | undefined): Iterable<ResourceKey> {
  return read.unreadable ? (before?.resources.keys() ?? []) : read.refused
}

function reasonOf(read: ReadResult, key: ResourceKey): Origin | undefined {
  const own = read.diagnostics.find(({ severity, subject }) => severity === 'error' && subject === key)
  return (own ?? read.diagnostics.find(({ severity, subject }) => severity === 'error' && subject === undefined))?.origin
}

function allDiagnostics(entries: ReadonlyMap<string, Entry>): Diagnostic[] {
  const files = [...entries].sort(([a], [b]) => compareText(a, b))
  return files.flatMap(([, { diagnostics }]) => [...diagnostics].sort((a, b) => (a.origin?.line ?? 0) - (b.origin?.line ?? 0)))
}

function duplicates(entries: ReadonlyMap<string, Entry>, owners: ReadonlyMap<ResourceKey, readonly string[]>): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const [subject, [winner, ...losers]] of owners) {
    for (const file of losers) {
      const document = entries.get(file)?.documents.get(subject)
      if (document === undefined) continue
      const message = `is written in ${winner}, too, and that one counts: remove one of the two`
      found.push({ code: 'config.duplicate', severity: 'warning', path: '', message, subject, origin: locate(document, '') })
    }
  }
  return found
}

/** What proxies would answer 503 for, and what to write. */
function endpointless({ collections }: Store, origins: OriginIndex): Diagnostic[] {
  const services = [...(collections.endpointless?.entries() ?? [])].map(([, found]) => found)
  services.sort((a, b) => compareText(a.service, b.service))
  return services.flatMap(({ service, selected, addressed }) => {
    const origin = origins.locate(service, '')
    // Of another source, which has its own word on endpoints.
    if (origin === undefined) return []
    const names = selected.slice(0, 3).join(', ') + (selected.length > 3 ? ` and ${selected.length - 3} more` : '')
    const message = addressed
      ? `has no endpoints though it selects ${names}: the EndpointSlices here name none of its own, or no container has a port of its targetPort's name; write a slice with the label kubernetes.io/service-name`
      : `has no endpoints: ${names} ${selected.length > 1 ? 'have' : 'has'} no address; write a WorkloadEntry with these labels and the address of what runs, a Pod with status.podIP, or an EndpointSlice`
    return [{ code: 'config.no_endpoints', severity: 'warning', path: '', message, subject: service, origin }]
  })
}
