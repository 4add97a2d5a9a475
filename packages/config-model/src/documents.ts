import type { Diagnostic } from '@heddle/runtime'
import { isRecord } from './decode/value.js'
import type { DocumentOrigin } from './origins.js'
import { type Loaded, loadDocuments } from './yaml/load.js'
import { type Chunk, splitDocuments } from './yaml/split.js'

/** What is found in a stream of YAML or JSON documents, in the order of the text. */
export interface DocumentVisitor {
  /** An object; those inside a List come one by one. */
  object(object: unknown, document: DocumentOrigin): void
  /** A document that is not YAML. */
  bad(diagnostic: Diagnostic): void
}

/** Goes through a stream of documents. A bad one never stops the others. */
export function visitDocuments(text: string, file: string, visitor: DocumentVisitor): void {
  const chunks = splitDocuments(text)
  const documents = loadDocuments(text, chunks)
  chunks.forEach((chunk, i) => {
    visitChunk(chunk, documents[i]!, file, visitor)
  })
}

function visitChunk(chunk: Chunk, loaded: Loaded, file: string, visitor: DocumentVisitor): void {
  if (!loaded.ok) {
    const origin = { file, line: chunk.line + loaded.line - 1, column: loaded.column }
    const message = `not valid YAML: ${loaded.message} (column ${loaded.column})`
    visitor.bad({ code: 'config.yaml', severity: 'error', path: '', message, origin })
    return
  }
  if (loaded.value === null || loaded.value === undefined) return
  visitObject(loaded.value, { file, line: chunk.line, text: chunk.text, prefix: [] }, visitor)
}

function visitObject(object: unknown, document: DocumentOrigin, visitor: DocumentVisitor): void {
  const items = listItems(object)
  if (items === undefined) {
    visitor.object(object, document)
    return
  }
  items.forEach((item, i) => {
    visitObject(item, { ...document, prefix: [...document.prefix, 'items', i] }, visitor)
  })
}

/** A values file or a fragment that lies beside the objects: without apiVersion and kind it is no Kubernetes object. */
export function isFragment(object: unknown): boolean {
  return isRecord(object) && object['apiVersion'] === undefined && object['kind'] === undefined
}

// `kind: List`, or a typed list such as ServiceList, whose items may leave out what they are.
function listItems(object: unknown): readonly unknown[] | undefined {
  if (!isRecord(object)) return undefined
  const { kind, items, apiVersion } = object
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return undefined
  if (kind === 'List') return items
  return items.map((item: unknown) => (isRecord(item) ? { apiVersion, kind: kind.slice(0, -'List'.length), ...item } : item))
}
