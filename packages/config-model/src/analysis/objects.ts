import type { Diagnostic } from '@heddle/runtime'
import { type Decoded, decodeLoosely, decodeResource } from '../decode/resource.js'
import { isRecord } from '../decode/value.js'
import { isFragment, visitDocuments } from '../documents.js'
import { KINDS } from '../kinds/all.js'
import type { AnyResource } from '../kinds/index.js'
import type { Kind } from '../kinds/kind.js'
import { type DocumentOrigin, locate } from '../origins.js'
import { nameKey } from '../resource.js'
import type { ConfigObject } from './object.js'

/** A text of YAML or JSON, by the name that messages give it. */
export interface ConfigFile {
  readonly file: string
  readonly text: string
}

/** Objects to analyze, and what validation has to say about them. */
export interface ConfigObjects {
  readonly objects: readonly ConfigObject[]
  readonly problems: readonly ObjectProblem[]
}

/** A diagnostic of validation, with the object it is about, as far as that is known. */
export interface ObjectProblem {
  readonly diagnostic: Diagnostic
  readonly object?: ConfigObject
}

// Kubernetes' own: nothing in them is part of a mesh.
const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'])

/** Reads files. An object that comes twice: the last counts, as when both are applied. Bad documents are told and passed over. */
export function readObjects(files: Iterable<ConfigFile>, defaultNamespace: string): ConfigObjects {
  const objects = new Map<string, ConfigObject>()
  const problems: ObjectProblem[] = []
  for (const { file, text } of files) {
    visitDocuments(text, file, {
      object(written, document) {
        if (isFragment(written)) return
        readObject(written, document, defaultNamespace, objects, problems)
      },
      bad: (diagnostic) => void problems.push({ diagnostic }),
    })
  }
  return { objects: [...objects.values()], problems }
}

/** Decoded resources, as a store holds them. */
export function objectsOf(resources: Iterable<AnyResource>): ConfigObjects {
  const objects: ConfigObject[] = []
  for (const resource of resources) {
    const { groups, writtenAs = resource.kind } = KINDS[resource.kind] as Pick<Kind, 'groups' | 'writtenAs'>
    objects.push({ ...resource, kind: writtenAs, known: resource.kind, group: groups[0] ?? '', written: { ...resource } })
  }
  return { objects, problems: [] }
}

function readObject(
  written: unknown,
  document: DocumentOrigin,
  defaultNamespace: string,
  objects: Map<string, ConfigObject>,
  problems: ObjectProblem[],
): void {
  const result = decodeResource(written, { defaultNamespace })
  const decoded = result.ok ? result.value : decodeLoosely(written, { defaultNamespace })
  const object = decoded === undefined || !isRecord(written) ? undefined : objectOf(decoded, written, document)
  if (object !== undefined && SYSTEM_NAMESPACES.has(namespaceOf(object))) return
  for (const diagnostic of result.diagnostics) {
    const placed = { ...diagnostic, origin: locate(document, diagnostic.path) }
    problems.push(object === undefined ? { diagnostic: placed } : { diagnostic: placed, object })
  }
  if (object !== undefined) objects.set(`${object.group}/${object.kind} ${nameKey(object.metadata)}`, object)
}

function objectOf(decoded: Decoded, written: Readonly<Record<string, unknown>>, document: DocumentOrigin): ConfigObject {
  const apiVersion = String(written['apiVersion'])
  const slash = apiVersion.indexOf('/')
  const { metadata, spec } = decoded.resource
  const known = decoded.known ? decoded.resource.kind : undefined
  return {
    kind: String(written['kind']),
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    known,
    metadata,
    spec,
    written,
    document,
  }
}

function namespaceOf({ group, kind, metadata }: ConfigObject): string {
  return group === '' && kind === 'Namespace' ? metadata.name : metadata.namespace
}
