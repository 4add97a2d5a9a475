import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { SubstitutionFormatString } from '@heddle/xds-types/envoy/config/core/v3'
import { COLLECTOR_LOGGERS } from '../config/collector-log.js'
import { compileMessage, type Fields } from '../config/fields.js'
import type { AccessLogConfig, AccessLogEntry, AccessLogSinks } from './access-log.js'
import { compileLogFilter, type LogFilterDeps, type LogPredicate } from './access-log-filter.js'
import type { CollectorLogs } from './collectors/collector-logs.js'
import { compileJsonLine, compileTextLine, DEFAULT_TEXT_FORMAT, type LineFormat } from './log-format.js'
import { openSink } from './open-sink.js'

export interface AccessLogDeps extends LogFilterDeps {
  sinks: AccessLogSinks
  /** Logs that call services; absent: there are no clusters to call over. */
  collectors?: CollectorLogs | undefined
}

const PREFIX = 'type.googleapis.com/envoy.extensions.access_loggers.'
/** Loggers that write lines, with the path they write to; undefined: their config names it. */
const LOGGERS: Readonly<Record<string, string | undefined>> = {
  [`${PREFIX}file.v3.FileAccessLog`]: undefined,
  [`${PREFIX}stream.v3.StdoutAccessLog`]: '/dev/stdout',
  [`${PREFIX}stream.v3.StderrAccessLog`]: '/dev/stderr',
}

/** The fields that the three loggers share; `format` and its kin are the older spelling of FileAccessLog. */
interface LineLogger {
  path?: string
  log_format?: SubstitutionFormatString
  format?: string
  json_format?: unknown
  typed_json_format?: unknown
}

/** Compiles one access log. A logger that is not supported is refused with code `log.unsupported`. */
export function compileAccessLog(log: AccessLog, path: string, deps: AccessLogDeps): Result<AccessLogConfig> {
  const filter: Result<LogPredicate> =
    log.filter === undefined ? ok(() => true) : compileLogFilter(log.filter, `${path}.filter`, deps)
  if (!filter.ok) return filter
  const writer = compileWriter(log.typed_config ?? {}, `${path}.typed_config`, deps)
  if (!writer.ok) return writer
  const wanted = filter.value
  const write = writer.value
  return ok({
    name: log.name ?? '',
    log(entry) {
      if (wanted(entry)) write(entry)
    },
  })
}

type Write = (entry: AccessLogEntry) => void

function compileWriter(config: { '@type'?: string } & LineLogger, path: string, deps: AccessLogDeps): Result<Write> {
  const type = config['@type'] ?? ''
  if (Object.hasOwn(LOGGERS, type)) return compileLines(config, LOGGERS[type] ?? config.path ?? '', path, deps)
  const compile = COLLECTOR_LOGGERS[type.slice(type.lastIndexOf('/') + 1)]
  const { collectors } = deps
  if (compile === undefined || collectors === undefined) {
    const advice = `${type === '' ? 'A log without a type' : type} is not supported; use file, stdout, stderr, grpc or open_telemetry.`
    return fail(problem('log.unsupported', path, advice))
  }
  const compiled = compileMessage(config, path, (fields) => compile(fields as unknown as Fields<never>, collectors))
  if (!compiled.ok) return compiled
  const log = compiled.value
  return ok((entry) => log?.log(entry))
}

function compileLines(config: LineLogger, target: string, path: string, deps: AccessLogDeps): Result<Write> {
  if (target === '') return fail(problem('log.path', `${path}.path`, 'The file to write to is missing.'))
  const format = compileFormat(config, path)
  if (!format.ok) return format
  const opened = openSink(deps.sinks, target, `${path}.path`)
  if (!opened.ok) return opened
  const sink = opened.value
  const line = format.value
  const { pieces } = sink
  if (pieces === undefined) return ok((entry) => sink.write(line.text(entry)))
  return ok((entry) => {
    line.write(entry, pieces)
    pieces.end()
  })
}

function compileFormat(config: LineLogger, path: string): Result<LineFormat> {
  const plain = { omitEmptyValues: false }
  if (config.format) return compileTextLine(config.format, `${path}.format`, plain)
  for (const key of ['json_format', 'typed_json_format'] as const) {
    if (config[key] !== undefined) return compileJsonLine(config[key], `${path}.${key}`, plain)
  }
  const format = config.log_format
  if (format === undefined) return compileTextLine(DEFAULT_TEXT_FORMAT, path, plain)
  const options = { omitEmptyValues: format.omit_empty_values ?? false }
  if (format.json_format !== undefined) return compileJsonLine(format.json_format, `${path}.log_format.json_format`, options)
  if (format.text_format !== undefined) return compileTextLine(format.text_format, `${path}.log_format.text_format`, options)
  const inline = format.text_format_source?.inline_string
  if (inline !== undefined) return compileTextLine(inline, `${path}.log_format.text_format_source.inline_string`, options)
  return fail(
    problem(
      'log.format',
      `${path}.log_format`,
      'Set text_format_source.inline_string or json_format; other sources are not supported.',
    ),
  )
}
