import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import type { AccessLogEntry, LinePieces } from './access-log.js'
import { compileOperator, TAKES_LENGTH } from './log-operators.js'
import type { LogValue, Operator } from './operators/operator.js'

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

type Segment = string | { readonly read: Operator; readonly maxLength: number | undefined }

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
      for (const segment of segments)
        line.add(typeof segment === 'string' ? segment : inText(cut(segment.read(entry), segment.maxLength), absent))
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

/** A leaf gives a value; undefined: it is absent. An object, an array and a constant are always there. */
type JsonNode = Operator | { write(entry: AccessLogEntry, line: Pieces): void }

function writeJson(node: JsonNode, entry: AccessLogEntry, line: Pieces): void {
  if (typeof node === 'function') addJson(node(entry), line)
  else node.write(entry, line)
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
    return { write: (_entry, line) => line.add(constant) }
  }
  if (Array.isArray(format)) {
    const items = format
      .filter((item) => item !== null || !options.omitEmptyValues)
      .map((item, index) => ({ key: '', node: compileNode(item, `${path}[${index}]`, options, problems) }))
    return membersOf(items, false, '[', ']')
  }
  const fields = Object.entries(format)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({
      key: `${JSON.stringify(key)}:`,
      node: compileNode(value, `${path}.${key}`, options, problems),
    }))
  return membersOf(fields, options.omitEmptyValues, '{', '}')
}

interface JsonMember {
  readonly key: string
  readonly node: JsonNode
}

/** `omitsAbsent`: a member that is not there is left out; else it is null. */
function membersOf(members: readonly JsonMember[], omitsAbsent: boolean, open: string, close: string): JsonNode {
  const all = members.map(({ key, node }) => ({ key, following: `,${key}`, node }))
  return {
    write(entry, line) {
      line.add(open)
      let first = true
      for (const { key, following, node } of all) {
        const value = typeof node === 'function' ? node(entry) : undefined
        if (omitsAbsent && value === undefined && typeof node === 'function') continue
        line.add(first ? key : following)
        first = false
        if (typeof node === 'function') addJson(value, line)
        else node.write(entry, line)
      }
      line.add(close)
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
    for (const segment of segments)
      line += typeof segment === 'string' ? segment : inText(cut(segment.read(entry), segment.maxLength), absent)
    return line
  }
}

function inText(value: LogValue, absent: string): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return absent
  return typeof value === 'object' ? JSON.stringify(sorted(value)) : String(value)
}

/** Structs are written with their keys in order, as protobuf's maps are. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

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
    const operator = compileOperator(match[1] ?? '', match[2], path)
    if (!operator.ok) return operator
    if (match[3] !== undefined && !TAKES_LENGTH.has(match[1] ?? ''))
      return fail(problem('log.format', path, `%${match[1]}% has no length to cut: found :${match[3]}.`))
    if (literal !== '') segments.push(literal)
    literal = ''
    segments.push({ read: operator.value, maxLength: match[3] === undefined ? undefined : Number(match[3]) })
    at = percent + match[0].length
  }
  if (literal !== '') segments.push(literal)
  return ok(segments)
}
