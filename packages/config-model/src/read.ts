import type { Diagnostic, Origin } from '@heddle/runtime'
import { type DecodeOptions, decodeResource, type OtherResource } from './decode/resource.js'
import { isRecord } from './decode/value.js'
import type { AnyResource } from './kinds/index.js'
import { createOriginIndex, type DocumentOrigin, locate } from './origins.js'
import { keyOf, type OriginIndex, type ResourceKey } from './resource.js'
import { type Loaded, loadDocuments } from './yaml/load.js'
import { type Chunk, splitDocuments } from './yaml/split.js'

export interface ReadOptions extends DecodeOptions {
  /** Name of the file in messages. */
  file: string
}

export interface ReadResult {
  /** The valid resources of known kinds, in the order of the text. */
  readonly resources: readonly AnyResource[]
  /** Objects of other kinds, untouched. */
  readonly others: readonly OtherResource[]
  /** Keys of objects that were refused: a store keeps what it had. */
  readonly refused: readonly ResourceKey[]
  /** Something could not be read far enough to know which object it is. */
  readonly unreadable: boolean
  /** Each with its file and line. */
  readonly diagnostics: readonly Diagnostic[]
  readonly origins: OriginIndex
  /** Where each resource is written. */
  readonly documents: ReadonlyMap<ResourceKey, DocumentOrigin>
}

interface Reading {
  readonly options: ReadOptions
  readonly resources: Map<ResourceKey, AnyResource>
  readonly others: OtherResource[]
  readonly refused: ResourceKey[]
  readonly diagnostics: Diagnostic[]
  readonly documents: Map<ResourceKey, DocumentOrigin>
  unreadable: boolean
}

/** Reads a stream of YAML or JSON documents, Lists included. A bad document never stops the others. An object that is there twice: the last counts. */
export function readYaml(text: string, options: ReadOptions): ReadResult {
  const reading: Reading = {
    options,
    resources: new Map(),
    others: [],
    refused: [],
    diagnostics: [],
    documents: new Map(),
    unreadable: false,
  }
  const chunks = splitDocuments(text)
  const documents = loadDocuments(text, chunks)
  chunks.forEach((chunk, i) => {
    readChunk(chunk, documents[i]!, reading)
  })
  const { options: _, resources, ...rest } = reading
  const origins = createOriginIndex((key) => reading.documents.get(key))
  return { ...rest, resources: [...resources.values()], origins }
}

function readChunk(chunk: Chunk, loaded: Loaded, reading: Reading): void {
  if (!loaded.ok) {
    const origin: Origin = { file: reading.options.file, line: chunk.line + loaded.line - 1 }
    reading.unreadable = true
    const message = `not valid YAML: ${loaded.message} (column ${loaded.column})`
    reading.diagnostics.push({ code: 'config.yaml', severity: 'error', path: '', message, origin })
    return
  }
  if (loaded.value === null || loaded.value === undefined) return
  readObject(loaded.value, { file: reading.options.file, line: chunk.line, text: chunk.text, prefix: [] }, reading)
}

function readObject(object: unknown, document: DocumentOrigin, reading: Reading): void {
  const items = listItems(object)
  if (items !== undefined) {
    items.forEach((item, i) => {
      readObject(item, { ...document, prefix: [...document.prefix, 'items', i] }, reading)
    })
    return
  }
  if (isRecord(object) && object['apiVersion'] === undefined && object['kind'] === undefined) {
    // A values file or a fragment that lies beside the objects.
    const message = 'is skipped: without apiVersion and kind it is no Kubernetes object'
    reading.diagnostics.push({
      code: 'config.not_an_object',
      severity: 'warning',
      path: '',
      message,
      origin: locate(document, ''),
    })
    return
  }
  const result = decodeResource(object, reading.options)
  for (const diagnostic of result.diagnostics)
    reading.diagnostics.push({ ...diagnostic, origin: locate(document, diagnostic.path) })
  if (!result.ok) {
    const subject = result.diagnostics.find((diagnostic) => diagnostic.subject !== undefined)?.subject
    if (subject === undefined) reading.unreadable = true
    else reading.refused.push(subject as ResourceKey)
    return
  }
  const key = keyOf(result.value.resource)
  if (reading.documents.has(key)) {
    const message = 'is written twice in this file: the last one counts, remove the other'
    reading.diagnostics.push({
      code: 'config.duplicate',
      severity: 'warning',
      path: '',
      message,
      subject: key,
      origin: locate(document, ''),
    })
  }
  reading.documents.set(key, document)
  if (result.value.known) reading.resources.set(key, result.value.resource)
  else reading.others.push(result.value.resource)
}

// `kind: List`, or a typed list such as ServiceList, whose items may leave out what they are.
function listItems(object: unknown): readonly unknown[] | undefined {
  if (!isRecord(object)) return undefined
  const { kind, items, apiVersion } = object
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return undefined
  if (kind === 'List') return items
  return items.map((item: unknown) => (isRecord(item) ? { apiVersion, kind: kind.slice(0, -'List'.length), ...item } : item))
}
