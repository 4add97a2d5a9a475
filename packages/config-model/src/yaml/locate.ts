import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'

/** Longer documents are not parsed a second time to say where in them something is: only where they begin. */
const MOST_CHARS = 1024 * 1024

/** Line and column from 1 of the field at `keys`, or of the nearest part of it that is written. Slow: only for what is shown. */
export function locateInDocument(text: string, keys: readonly (string | number)[]): { line: number; column: number } {
  if (keys.length === 0 || text.length > MOST_CHARS) return placeOfContent(text)
  const { document, lineCounter } = parse(text)
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const key of keys) {
    const step = stepInto(node, key)
    if (step === undefined) break
    offset = step.offset
    node = step.node
  }
  const { line, col } = lineCounter.linePos(offset)
  return { line, column: col }
}

interface Parsed {
  readonly text: string
  readonly document: ReturnType<typeof parseDocument>
  readonly lineCounter: LineCounter
}

// The problems of a document are located one after the other: the last one parsed is worth keeping.
let last: Parsed | undefined

function parse(text: string): Parsed {
  if (last?.text === text) return last
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, keepSourceTokens: false, uniqueKeys: false, logLevel: 'silent' })
  last = { text, document, lineCounter }
  return last
}

function stepInto(node: unknown, key: string | number): { offset: number; node: unknown } | undefined {
  if (isSeq(node) && typeof key === 'number') {
    const item = node.items[key]
    const offset = startOf(item)
    return offset === undefined ? undefined : { offset, node: item }
  }
  if (!isMap(node)) return undefined
  const pair = pairOf(node, String(key))
  const offset = startOf(pair?.key)
  return pair === undefined || offset === undefined ? undefined : { offset, node: pair.value }
}

const pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>()

// A map with very many keys is asked about very many of them when all are wrong.
function pairOf(map: YAMLMap, key: string): Pair | undefined {
  let known = pairs.get(map)
  if (known === undefined) {
    known = new Map(map.items.toReversed().map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair]))
    pairs.set(map, known)
  }
  return known.get(key)
}

// Behind comments, directives and markers.
const LEAD = /^(?:[ \t\r]*(?:#.*|%.*|---[ \t\r]*(?:#.*)?)?\n)*(?:---)?[ \t]*/

function placeOfContent(text: string): { line: number; column: number } {
  const lines = (LEAD.exec(text)?.[0] ?? '').split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined | null)?.range?.[0]
}
