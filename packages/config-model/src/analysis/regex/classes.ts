import { complement, type Range } from './node.js'

const ranges = (...pairs: readonly string[]): readonly Range[] =>
  pairs.map((pair): Range => [pair.codePointAt(0)!, pair.codePointAt(pair.length - 1)!])

const DIGIT: readonly Range[] = ranges('09')
const WORD: readonly Range[] = ranges('09', 'AZ', 'az', '_')
const SPACE: readonly Range[] = ranges('\t\n', '\f\r', ' ')

/** The classes that a backslash and a letter stand for. */
export const ESCAPED_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: complement(DIGIT),
  W: complement(WORD),
  S: complement(SPACE),
}

/** `[[:alpha:]]` and its like. */
export const POSIX_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  alnum: ranges('09', 'AZ', 'az'),
  alpha: ranges('AZ', 'az'),
  blank: ranges('\t', ' '),
  digit: DIGIT,
  graph: ranges('!~'),
  lower: ranges('az'),
  print: ranges(' ~'),
  punct: ranges('!/', ':@', '[`', '{~'),
  space: SPACE,
  upper: ranges('AZ'),
  word: WORD,
  xdigit: ranges('09', 'AF', 'af'),
}

/** Characters that have a letter of their own. */
export const ESCAPED_CHARACTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  t: '\t',
  n: '\n',
  r: '\r',
  v: '\v',
}
