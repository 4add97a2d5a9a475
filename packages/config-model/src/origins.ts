import type { Origin } from '@heddle/runtime'
import { parsePath } from './decode/site.js'
import type { OriginIndex, ResourceKey } from './resource.js'
import { locateInDocument } from './yaml/locate.js'

/** Where the text of a resource lies. */
export interface DocumentOrigin {
  readonly file: string
  /** Line of the file where the text starts, from 1. */
  readonly line: number
  readonly text: string
  /** Where the resource is inside the document: `items`, 3 in a List. */
  readonly prefix: readonly (string | number)[]
}

/** The place of a path inside a document; of the nearest written part when the field itself is not there. */
export function locate(document: DocumentOrigin, path: string): Origin {
  const { line, column } = locateInDocument(document.text, [...document.prefix, ...(parsePath(path) ?? [])])
  return { file: document.file, line: document.line + line - 1, column }
}

/** An {@link OriginIndex} over documents; asks `find` anew each time, so it may change underneath. */
export function createOriginIndex(find: (key: ResourceKey) => DocumentOrigin | undefined): OriginIndex {
  return {
    locate(key, path) {
      const document = find(key)
      return document === undefined ? undefined : locate(document, path)
    },
  }
}
