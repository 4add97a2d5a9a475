import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import type { AccessLogEntry, LinePieces } from './access-log.js'
import { compileOperator, GIVES_VALUES, TAKES_LENGTH } from './log-operators.js'
import type { LogValue, Operator } from './operators/operator.js'
import { numberText, valueText } from './value-text.js'

/** Makes a line of a finished request. */
export type LogFormatter = (entry: AccessLogEntry) => string

/** The same, as a text or piece by piece. */
export interface LineFormat {
  readonly text: LogFormatter
  write(entry: AccessLogEntry, line: LinePieces): void
}

/** Envoy's format when a log configures none. */
export const DEFAULT_TEXT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'

export interface LogFormatOptions {
  /** Absent values vanish: nothing in text, no key in JSON. */
  omitEmptyValues: boolean
}

interface Command {
  readonly read: Operator
  readonly maxLength: number | undefined
  /** Of metadata and the like: their numbers are written as doubles. */
  readonly ofValues: boolean
}

type Segment = string | Command

/** Compiles a text format. Code `log.format` for what is no operator, with its place. */
export function compileTextFormat(format: string, path: string, options: LogFormatOptions): Result<LogFormatter> {
  const line = compileTextLine(format, path, options)
  return line.ok ? ok(line.value.text) : line
}

export function compileTextLine(format: string, path: string, options: LogFormatOptions): Result<LineFormat> {
  const parsed = parseFormat(format, path)
  if (!parsed.ok) return parsed
  const segments = parsed.value
  const absent = options.omitEmptyValues ? '' : '-'
  return ok({
    text: textOf(segments, absent),
    write(entry, line) {
      for (const segment of segments) line.add(typeof segment === 'string' ? segment : inText(segment, entry, absent))
    },
  })
}

/** Compiles a JSON format: an object of formats, nested as one likes. Keys come out sorted; a single operator keeps its type; a line ends with a newline. */
export function compileJsonFormat(format: unknown, path: string, options: LogFormatOptions): Result<LogFormatter> {
  const line = compileJsonLine(format, path, options)
  return line.ok ? ok(line.value.text) : line
}

export function compileJsonLine(format: unknown, path: string, options: LogFormatOptions): Result<LineFormat> {
  const problems: Diagnostic[] = []
  const node = compileNode(format, path, options, problems)
  if (problems.length > 0) return fail(...problems)
  return ok({
    text(entry) {
      let text = ''
      writeJson(node, entry, { add: (piece) => (text += piece), addJson: (piece) => (text += JSON.stringify(piece)) })
      return `${text}\n`
    },
    write(entry, line) {
      writeJson(node, entry, line)
      line.add('\n')
    },
  })
}

type Pieces = Pick<LinePieces, 'add' | 'addJson'>

/** A leaf gives a value; undefined: it is absent. Anything else writes itself behind `before`; false: it is left out, and so is that. */
type JsonNode = Operator | { write(entry: AccessLogEntry, line: Pieces, before: string): boolean }

function writeJson(node: JsonNode, entry: AccessLogEntry, line: Pieces): void {
  if (typeof node === 'function') addJson(node(entry), line)
  else if (!node.write(entry, line, '')) line.add('{}')
}

function addJson(value: LogValue, line: Pieces): void {
  if (typeof value === 'string') line.addJson(value)
  else if (typeof value === 'number') line.add(Number.isFinite(value) ? String(value) : 'null')
  else line.add(value === undefined ? 'null' : (JSON.stringify(value) ?? 'null'))
}

function compileNode(format: unknown, path: string, options: LogFormatOptions, problems: Diagnostic[]): JsonNode {
  if (typeof format === 'string') return compileLeaf(format, path, options, problems)
  if (typeof format !== 'object' || format === null) {
    const constant = JSON.stringify(format)
    return {
      write(_entry, line, before) {
        line.add(before)
        line.add(constant)
        return true
      },
    }
  }
  if (Array.isArray(format)) {
    const items = format
      .filter((item) => item !== null || !options.omitEmptyValues)
      .map((item, index) => ({ key: '', node: compileNode(item, `${path}[${index}]`, options, problems) }))
    return membersOf(items, { absent: options.omitEmptyValues, empty: false }, '[', ']')
  }
  const fields = Object.entries(format)
    .filter(([, value]) => value !== null || !options.omitEmptyValues)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({
      key: `${JSON.stringify(key)}:`,
      node: compileNode(value, `${path}.${key}`, options, problems),
    }))
  return membersOf(fields, { absent: options.omitEmptyValues, empty: options.omitEmptyValues }, '{', '}')
}

interface JsonMember {
  readonly key: string
  readonly node: JsonNode
}

/** `omits.absent`: a member that is not there is left out; else it is null. `omits.empty`: without members all of it is left out. */
function membersOf(
  members: readonly JsonMember[],
  omits: { readonly absent: boolean; readonly empty: boolean },
  open: string,
  close: string,
): JsonNode {
  const all = members.map(({ key, node }) => ({ key, following: `,${key}`, node }))
  return {
    write(entry, line, before) {
      // What may be left out is opened by its first member.
      const opening = omits.empty ? before + open : ''
      if (!omits.empty) {
        line.add(before)
        line.add(open)
      }
      let first = true
      for (const { key, following, node } of all) {
        const separator = first ? opening + key : following
        if (typeof node === 'function') {
          const value = node(entry)
          if (omits.absent && (value === undefined || value === null)) continue
          line.add(separator)
          addJson(value, line)
        } else if (!node.write(entry, line, separator)) continue
        first = false
      }
      if (omits.empty && first) return false
      line.add(close)
      return true
    },
  }
}

function compileLeaf(format: string, path: string, options: LogFormatOptions, problems: Diagnostic[]): JsonNode {
  const parsed = parseFormat(format, path)
  if (!parsed.ok) {
    problems.push(...parsed.diagnostics)
    return () => undefined
  }
  const [only, ...others] = parsed.value
  if (only !== undefined && typeof only !== 'string' && others.length === 0) {
    return only.maxLength === undefined ? only.read : (entry) => cut(only.read(entry), only.maxLength)
  }
  return textOf(parsed.value, options.omitEmptyValues ? '' : '-')
}

function textOf(segments: readonly Segment[], absent: string): LogFormatter {
  return (entry) => {
    let line = ''
    for (const segment of segments) line += typeof segment === 'string' ? segment : inText(segment, entry, absent)
    return line
  }
}

function inText({ read, maxLength, ofValues }: Command, entry: AccessLogEntry, absent: string): string {
  const value = read(entry)
  if (value === undefined || value === null) return absent
  const whole = plainText(value, ofValues)
  return maxLength === undefined ? whole : whole.slice(0, maxLength)
}

function plainText(value: NonNullable<LogValue>, ofValues: boolean): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object') return valueText(value)
  return ofValues && typeof value === 'number' ? numberText(value) : String(value)
}

/** In JSON only strings are cut: anything else keeps its type. */
function cut(value: LogValue, maxLength: number | undefined): LogValue {
  return maxLength !== undefined && typeof value === 'string' ? value.slice(0, maxLength) : value
}

// An argument ends with the first `)` behind which the operator does: expressions have parentheses of their own.
const COMMAND = /%([A-Z0-9_]+)(?:\(([\s\S]*?)\))?(?::(\d+))?%/y

function parseFormat(format: string, path: string): Result<Segment[]> {
  const segments: Segment[] = []
  let literal = ''
  let at = 0
  while (at < format.length) {
    const percent = format.indexOf('%', at)
    literal += format.slice(at, percent < 0 ? format.length : percent)
    if (percent < 0) break
    if (format[percent + 1] === '%') {
      literal += '%'
      at = percent + 2
      continue
    }
    COMMAND.lastIndex = percent
    const match = COMMAND.exec(format)
    if (match === null)
      return fail(
        problem(
          'log.format',
          path,
          `Column ${percent + 1} starts no command operator (%NAME%, %NAME(ARGUMENT)%, %NAME(ARGUMENT):LENGTH%); write %% for a percent sign.`,
        ),
      )
    const [, name = '', args, length] = match
    const operator = compileOperator(name, args, path)
    if (!operator.ok) return operator
    if (length !== undefined && !TAKES_LENGTH.has(name))
      return fail(problem('log.format', path, `%${name}% has no length to cut: found :${length}.`))
    if (literal !== '') segments.push(literal)
    literal = ''
    const maxLength = length === undefined ? undefined : Number(length)
    segments.push({ read: operator.value, maxLength, ofValues: GIVES_VALUES.has(name) })
    at = percent + match[0].length
  }
  if (literal !== '') segments.push(literal)
  return ok(segments)
}
