import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'

/** Line and column from 1 of the field at `keys`, or of the nearest part of it that is written. Slow: only for what is shown. */
export function locateInDocument(text: string, keys: readonly (string | number)[]): { line: number; column: number } {
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
  const pair = (node.items as Pair[]).find(({ key: name }) => String(isScalar(name) ? name.value : name) === String(key))
  const offset = startOf(pair?.key)
  return pair === undefined || offset === undefined ? undefined : { offset, node: pair.value }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined | null)?.range?.[0]
}
