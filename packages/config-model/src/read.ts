import type { Diagnostic } from '@heddle/runtime'
import { type DecodeOptions, decodeResource, type OtherResource } from './decode/resource.js'
import { isFragment, visitDocuments } from './documents.js'
import type { AnyResource } from './kinds/index.js'
import { createOriginIndex, type DocumentOrigin, locate } from './origins.js'
import { keyOf, type OriginIndex, type ResourceKey } from './resource.js'

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
  visitDocuments(text, options.file, {
    object: (object, document) => {
      readObject(object, document, reading)
    },
    bad: (diagnostic) => {
      reading.unreadable = true
      reading.diagnostics.push(diagnostic)
    },
  })
  const { options: _, resources, ...rest } = reading
  const origins = createOriginIndex((key) => reading.documents.get(key))
  return { ...rest, resources: [...resources.values()], origins }
}

function readObject(object: unknown, document: DocumentOrigin, reading: Reading): void {
  if (isFragment(object)) {
    const message = 'is skipped: without apiVersion and kind it is no Kubernetes object'
    const origin = locate(document, '')
    reading.diagnostics.push({ code: 'config.not_an_object', severity: 'warning', path: '', message, origin })
    return
  }
  const result = decodeResource(object, reading.options)
  for (const diagnostic of bounded(result.diagnostics))
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

/** Problems of one object that are told one by one; an object with more is not one that somebody wrote. */
const MOST_PROBLEMS = 100

// Errors first, because warnings alone refuse nothing.
function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= MOST_PROBLEMS) return diagnostics
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const shown = (errors.length > 0 ? errors : diagnostics).slice(0, MOST_PROBLEMS)
  const message = `has ${diagnostics.length - shown.length} problems more, which are not shown: mend these first`
  return [...shown, { ...shown.at(-1)!, code: 'config.more', message }]
}
