import {
  boolYaml11Tag,
  defineScalarTag,
  FAILSAFE_SCHEMA,
  floatCoreTag,
  intYaml11Tag,
  load,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  Schema,
  YAMLException,
} from 'js-yaml'
import type { Chunk } from './split.js'

// What Kubernetes' YAML takes for a whole number: YAML 1.1 with octal 0420, without sexagesimal 12:30.
const integerTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: intYaml11Tag.implicitFirstChars,
  identify: intYaml11Tag.identify,
  resolve: (source, isExplicit, tagName) =>
    source.includes(':') ? NOT_RESOLVED : intYaml11Tag.resolve(source, isExplicit, tagName),
})

const schema = new Schema([...FAILSAFE_SCHEMA.tags, nullCoreTag, boolYaml11Tag, integerTag, floatCoreTag, mergeTag])

const MAX_ALIASES = 1000
// What aliases may unfold to: ten times the largest object that etcd holds.
const MAX_NODES = 2_000_000
/** Characters of one document; etcd takes objects of 1.5 MiB, a List of them is one document. */
const MAX_LENGTH = 32 * 1024 * 1024

/** What a document says, or the first thing that is wrong in it, at a line and column from 1. */
export type Loaded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number }

/** Reads one document as Kubernetes does: YAML 1.1 booleans (`yes`, `on`, `y`), 1.2 in the rest; merge keys; a key twice is an error; at most 100 levels. */
export function loadDocument(text: string): Loaded {
  if (text.length > MAX_LENGTH) {
    const message = `has ${text.length} characters, more than the limit of ${MAX_LENGTH}: split it into several`
    return { ok: false, message, line: 1, column: 1 }
  }
  try {
    const value = load(text, { schema, maxAliases: MAX_ALIASES })
    if (text.includes('*') && unfolded(value, MAX_NODES) > MAX_NODES)
      return { ok: false, message: 'its aliases unfold to too much', line: 1, column: 1 }
    return { ok: true, value }
  } catch (error) {
    if (error instanceof YAMLException && error.mark !== null && error.mark !== undefined) {
      return { ok: false, message: error.reason, line: error.mark.line + 1, column: error.mark.column + 1 }
    }
    return { ok: false, message: error instanceof Error ? error.message : String(error), line: 1, column: 1 }
  }
}

/** Each document of a stream. At once when all are good, which is twice as fast; else each by itself. */
export function loadDocuments(stream: string, chunks: readonly Chunk[]): readonly Loaded[] {
  if (chunks.length > 1 && !stream.includes('*') && chunks.every(({ text }) => text.length <= MAX_LENGTH)) {
    try {
      const values = loadAll(stream, { schema, maxAliases: MAX_ALIASES }).filter((value) => value !== null && value !== undefined)
      if (values.length === chunks.length) return values.map((value) => ({ ok: true, value }))
    } catch {
      // Some document is bad: told below, with its place.
    }
  }
  return chunks.map(({ text }) => loadDocument(text))
}

// Nodes of a value in which aliases share objects, counted as if each were a copy; stops past the limit.
function unfolded(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return 1
  let nodes = 1
  for (const child of Object.values(value)) {
    nodes += unfolded(child, limit - nodes)
    if (nodes > limit) break
  }
  return nodes
}
