import { ESCAPED_CHARACTERS, ESCAPED_CLASSES, POSIX_CLASSES } from './classes.js'
import { ANY, complement, type Node, type Range } from './node.js'

/** Syntax that is not modelled: nothing may be said of such a pattern. */
class Unknown extends Error {}

/** A reader of one pattern. */
interface Reader {
  /** The next character; '' at the end. */
  peek(ahead?: number): string
  take(): string
  /** Takes a text if it is what comes next. */
  skip(text: string): boolean
  /** Takes what a sticky pattern matches here. */
  match(pattern: RegExp): RegExpExecArray | null
}

/**
 * An RE2 pattern that has to match a whole text, as Envoy's do. Undefined: it has syntax that is not modelled (flags, Unicode classes, word
 * boundaries, anchors in the middle), or none that RE2 takes.
 */
export function parseRegex(pattern: string): Node | undefined {
  // To match the whole text is to be anchored at both ends.
  const inner = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  try {
    return parseWhole(inner)
  } catch (error) {
    if (error instanceof Unknown) return undefined
    throw error
  }
}

function parseWhole(pattern: string): Node {
  const reader = createReader(pattern)
  const node = parseEither(reader)
  if (reader.peek() !== '') throw new Unknown()
  return node
}

function createReader(text: string): Reader {
  let at = 0
  const peek = (ahead = 0): string => text.slice(at + ahead, at + ahead + 1)
  return {
    peek,
    take() {
      const code = text.codePointAt(at)
      if (code === undefined) throw new Unknown()
      const char = String.fromCodePoint(code)
      at += char.length
      return char
    },
    skip(wanted) {
      const found = text.startsWith(wanted, at)
      if (found) at += wanted.length
      return found
    },
    match(pattern) {
      pattern.lastIndex = at
      const found = pattern.exec(text)
      if (found !== null) at += found[0].length
      return found
    },
  }
}

function parseEither(reader: Reader): Node {
  const nodes = [parseConcat(reader)]
  while (reader.skip('|')) nodes.push(parseConcat(reader))
  return nodes.length === 1 ? nodes[0]! : { type: 'either', nodes }
}

function parseConcat(reader: Reader): Node {
  const nodes: Node[] = []
  while (reader.peek() !== '' && reader.peek() !== '|' && reader.peek() !== ')') nodes.push(parseRepeat(reader))
  return { type: 'concat', nodes }
}

const COUNTED = /\{(\d+)(?:(,)(\d*))?\}/y

function parseRepeat(reader: Reader): Node {
  let node = parseAtom(reader)
  for (;;) {
    const count = countOf(reader)
    if (count === undefined) return node
    // Whether it takes much or little is the same to a whole match.
    reader.skip('?')
    node = { type: 'repeat', node, min: count[0], max: count[1] }
  }
}

function countOf(reader: Reader): readonly [number, number] | undefined {
  if (reader.skip('*')) return [0, Number.POSITIVE_INFINITY]
  if (reader.skip('+')) return [1, Number.POSITIVE_INFINITY]
  if (reader.skip('?')) return [0, 1]
  const [found, min = '', comma, max = ''] = reader.match(COUNTED) ?? []
  if (found === undefined) return undefined
  if (comma === undefined) return [Number(min), Number(min)]
  return [Number(min), max === '' ? Number.POSITIVE_INFINITY : Number(max)]
}

const GROUP = /\((?:\?:|\?P?<\w+>)?/y

function parseAtom(reader: Reader): Node {
  const next = reader.peek()
  if (next === '(') {
    reader.match(GROUP)
    const node = parseEither(reader)
    if (!reader.skip(')')) throw new Unknown()
    return node
  }
  if (next === '[') return { type: 'set', ranges: parseClass(reader) }
  if (next === '.') {
    reader.take()
    return ANY
  }
  if ('^$*+?'.includes(next)) throw new Unknown()
  return { type: 'set', ranges: parseCharacter(reader) }
}

const POSIX = /\[:(\^?)(\w+):\]/y

function parseClass(reader: Reader): readonly Range[] {
  reader.take()
  const negated = reader.skip('^')
  const ranges: Range[] = []
  for (let first = true; first || reader.peek() !== ']'; first = false) {
    const [posix, not, name = ''] = reader.match(POSIX) ?? []
    if (posix !== undefined) {
      const known = POSIX_CLASSES[name]
      if (known === undefined) throw new Unknown()
      ranges.push(...(not === '^' ? complement(known) : known))
      continue
    }
    const from = parseCharacter(reader)
    const single = from.length === 1 && from[0]?.[0] === from[0]?.[1]
    if (!single || reader.peek() !== '-' || reader.peek(1) === ']') {
      ranges.push(...from)
      continue
    }
    reader.take()
    const to = parseCharacter(reader)
    ranges.push([from[0]![0], to[0]![1]])
  }
  reader.take()
  return negated ? complement(ranges) : ranges
}

const CODE = /x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/y

// One character, or a class such as `\d`.
function parseCharacter(reader: Reader): readonly Range[] {
  const char = reader.take()
  if (char !== '\\') return one(char.codePointAt(0)!)
  const [code, two, braced] = reader.match(CODE) ?? []
  if (code !== undefined) return one(Number.parseInt(two ?? braced ?? '', 16))
  const escaped = reader.take()
  const known = ESCAPED_CLASSES[escaped]
  if (known !== undefined) return known
  const control = ESCAPED_CHARACTERS[escaped]
  if (control !== undefined) return one(control.codePointAt(0)!)
  // Letters and digits have meanings of their own; other characters stand for themselves.
  if (/\w/.test(escaped)) throw new Unknown()
  return one(escaped.codePointAt(0)!)
}

function one(code: number): readonly Range[] {
  return [[code, code]]
}
