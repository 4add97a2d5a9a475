import { fail, ok, problem, type Random, type Result } from '@heddle/runtime'
import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { SubstitutionFormatString } from '@heddle/xds-types/envoy/config/core/v3'
import type { AccessLogConfig, AccessLogSinks } from './access-log.js'
import { compileLogFilter, type LogPredicate } from './access-log-filter.js'
import { compileJsonFormat, compileTextFormat, DEFAULT_TEXT_FORMAT, type LogFormatter } from './log-format.js'

export interface AccessLogDeps {
  sinks: AccessLogSinks
  /** For sampled logs. */
  random: Random
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

/** Compiles one access log. Loggers over gRPC are refused with code `log.unsupported`. */
export function compileAccessLog(log: AccessLog, path: string, deps: AccessLogDeps): Result<AccessLogConfig> {
  const config = log.typed_config as ({ '@type'?: string } & LineLogger) | undefined
  const type = config?.['@type'] ?? ''
  if (config === undefined || !Object.hasOwn(LOGGERS, type)) {
    return fail(
      problem(
        'log.unsupported',
        `${path}.typed_config`,
        `${type === '' ? 'A log without a type' : type} is not supported; use file, stdout or stderr.`,
      ),
    )
  }
  const target = LOGGERS[type] ?? config.path ?? ''
  if (target === '') return fail(problem('log.path', `${path}.typed_config.path`, 'The file to write to is missing.'))
  const filter: Result<LogPredicate> =
    log.filter === undefined ? ok(() => true) : compileLogFilter(log.filter, `${path}.filter`, deps.random)
  if (!filter.ok) return filter
  const format = compileFormat(config, `${path}.typed_config`)
  if (!format.ok) return format
  const sink = deps.sinks(target)
  const wanted = filter.value
  const line = format.value
  return ok({
    name: log.name ?? '',
    log(entry) {
      if (wanted(entry)) sink.write(line(entry))
    },
  })
}

function compileFormat(config: LineLogger, path: string): Result<LogFormatter> {
  const plain = { omitEmptyValues: false }
  if (config.format) return compileTextFormat(config.format, `${path}.format`, plain)
  for (const key of ['json_format', 'typed_json_format'] as const) {
    if (config[key] !== undefined) return compileJsonFormat(config[key], `${path}.${key}`, plain)
  }
  const format = config.log_format
  if (format === undefined) return compileTextFormat(DEFAULT_TEXT_FORMAT, path, plain)
  const options = { omitEmptyValues: format.omit_empty_values ?? false }
  if (format.json_format !== undefined) return compileJsonFormat(format.json_format, `${path}.log_format.json_format`, options)
  if (format.text_format !== undefined) return compileTextFormat(format.text_format, `${path}.log_format.text_format`, options)
  const inline = format.text_format_source?.inline_string
  if (inline !== undefined) return compileTextFormat(inline, `${path}.log_format.text_format_source.inline_string`, options)
  return fail(
    problem(
      'log.format',
      `${path}.log_format`,
      'Set text_format_source.inline_string or json_format; other sources are not supported.',
    ),
  )
}
