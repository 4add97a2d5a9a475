import { fail, ok, problem, type Random, type Result } from '@heddle/runtime'
import type { AccessLogFilter, ComparisonFilter } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { ExpressionFilter } from '@heddle/xds-types/envoy/extensions/access_loggers/filters/cel/v3'
import { compileMessage } from '../config/fields.js'
import { createHeaderMap } from '../http/header-map.js'
import { grpcStatusOf } from '../http/local-reply.js'
import { compileCel } from '../matcher/cel.js'
import { compileHeaderMatcher } from '../matcher/header.js'
import { compileMetadataMatcher } from '../matcher/value.js'
import type { Runtime } from '../runtime.js'
import type { AccessLogEntry } from './access-log.js'
import { celAttributes } from './cel-attributes.js'
import { accessLogType } from './log-operators.js'

/** Decides whether a finished request is logged. */
export type LogPredicate = (entry: AccessLogEntry) => boolean

export interface LogFilterDeps {
  /** For sampled logs. */
  readonly random: Random
  /** Laid over default values; absent: nothing is. */
  readonly runtime?: Runtime | undefined
}

type Kind = Exclude<keyof AccessLogFilter, symbol>
type Compile = (filter: AccessLogFilter, path: string, deps: LogFilterDeps) => Result<LogPredicate>

/** Compiles Envoy's `envoy.config.accesslog.v3.AccessLogFilter`; code `log.filter` for kinds that are not supported. */
export function compileLogFilter(filter: AccessLogFilter, path: string, deps: LogFilterDeps): Result<LogPredicate> {
  const kind = (Object.keys(filter) as Kind[]).find((key) => filter[key] !== undefined)
  if (kind === undefined)
    return fail(problem('log.filter', path, 'The filter has no kind; remove it or set one, such as status_code_filter.'))
  const compile = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (compile === undefined) return fail(problem('log.filter', `${path}.${kind}`, 'This access log filter is not supported.'))
  return compile(filter, `${path}.${kind}`, deps)
}

const KINDS: Partial<Record<Kind, Compile>> = {
  status_code_filter: (filter, path, { runtime }) =>
    comparison(filter.status_code_filter?.comparison, `${path}.comparison`, runtime, (entry) => entry.info.status),
  duration_filter: (filter, path, { runtime }) =>
    comparison(filter.duration_filter?.comparison, `${path}.comparison`, runtime, ({ info }) =>
      Math.floor((info.end ?? info.start) - info.start),
    ),
  not_health_check_filter: () => ok((entry) => entry.info.filterState.get('health_check') !== true),
  response_flag_filter: (filter) => {
    const flags = filter.response_flag_filter?.flags ?? []
    return ok(({ info }) => (flags.length === 0 ? info.flags.size > 0 : flags.some((flag) => info.flags.has(flag))))
  },
  runtime_filter: (filter, path, { random, runtime }) => {
    const { runtime_key: key = '', percent_sampled = {} } = filter.runtime_filter ?? {}
    const { numerator = 0, denominator = 'HUNDRED' } = percent_sampled
    const of = DENOMINATORS[denominator]
    if (of === undefined)
      return fail(problem('log.filter', `${path}.percent_sampled.denominator`, `${denominator} is no denominator.`))
    const share = numerator / of
    return ok(() => random.next() < (runtime?.share(key) ?? share))
  },
  header_filter: (filter, path) => {
    const matcher = compileMessage(filter.header_filter?.header ?? {}, `${path}.header`, compileHeaderMatcher)
    if (!matcher.ok) return matcher
    return ok(({ info, requestHeaders = NO_HEADERS }) => {
      const { method, authority, path: target } = info
      const scheme = requestHeaders.get('x-forwarded-proto') ?? 'http'
      return matcher.value.matches({ method, authority, path: target, scheme, headers: requestHeaders })
    })
  },
  grpc_status_filter: (filter) => {
    const { statuses = [], exclude = false } = filter.grpc_status_filter ?? {}
    const numbers = new Set(statuses.map((name) => String(GRPC_CODES.indexOf(name))))
    // A request that is no gRPC counts by its HTTP status, as in Envoy, to which 200 means nothing in gRPC.
    return ok(({ info }) => numbers.has(info.grpcStatus ?? String(grpcStatusOf(info.status))) !== exclude)
  },
  extension_filter: (filter, path) => {
    const config = filter.extension_filter?.typed_config as ({ '@type'?: string } & ExpressionFilter) | undefined
    if (config?.['@type'] !== CEL_FILTER)
      return fail(
        problem(
          'log.filter',
          `${path}.typed_config`,
          'Only the extension envoy.access_loggers.extension_filters.cel is supported.',
        ),
      )
    const compiled = compileCel(config.expression ?? '', `${path}.typed_config.expression`)
    return compiled.ok ? ok((entry) => compiled.value(celAttributes(entry))) : compiled
  },
  metadata_filter: (filter, path) => {
    const { matcher, match_if_key_not_found: otherwise = true } = filter.metadata_filter ?? {}
    if (matcher === undefined) return ok(() => otherwise)
    // Envoy asks for the value alone: inverting the matcher changes nothing.
    const compiled = compileMessage({ ...matcher, invert: false }, `${path}.matcher`, compileMetadataMatcher)
    if (!compiled.ok) return compiled
    const test = compiled.value
    return ok(({ info: { metadata } }) => (test.has(metadata) ? test.matches(metadata) : otherwise))
  },
  log_type_filter: (filter) => {
    const { types = [], exclude = false } = filter.log_type_filter ?? {}
    const wanted: ReadonlySet<string> = new Set(types)
    return ok((entry) => wanted.has(accessLogType(entry)) !== exclude)
  },
  and_filter: (filter, path, deps) =>
    both(filter.and_filter?.filters ?? [], `${path}.filters`, deps, (all, entry) => all.every((one) => one(entry))),
  or_filter: (filter, path, deps) =>
    both(filter.or_filter?.filters ?? [], `${path}.filters`, deps, (all, entry) => all.some((one) => one(entry))),
}

/** Of a TCP connection: what is to be missing is. */
const NO_HEADERS = createHeaderMap([])

const CEL_FILTER = 'type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter'
const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

const GRPC_CODES: readonly string[] =
  'OK CANCELED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  )

function comparison(
  filter: ComparisonFilter | undefined,
  path: string,
  runtime: Runtime | undefined,
  read: (entry: AccessLogEntry) => number,
): Result<LogPredicate> {
  const { default_value = 0, runtime_key: key = '' } = filter?.value ?? {}
  const value = runtime === undefined ? (): number => default_value : (): number => runtime.number(key) ?? default_value
  const op = filter?.op ?? 'EQ'
  switch (op) {
    case 'EQ':
      return ok((entry) => read(entry) === value())
    case 'NE':
      return ok((entry) => read(entry) !== value())
    case 'GE':
      return ok((entry) => read(entry) >= value())
    case 'LE':
      return ok((entry) => read(entry) <= value())
    default:
      return fail(problem('log.filter', `${path}.op`, `${String(op)} is no comparison; use EQ, NE, GE or LE.`))
  }
}

function both(
  filters: readonly AccessLogFilter[],
  path: string,
  deps: LogFilterDeps,
  decide: (all: readonly LogPredicate[], entry: AccessLogEntry) => boolean,
): Result<LogPredicate> {
  const all: LogPredicate[] = []
  for (const [index, filter] of filters.entries()) {
    const compiled = compileLogFilter(filter, `${path}[${index}]`, deps)
    if (!compiled.ok) return compiled
    all.push(compiled.value)
  }
  return ok((entry) => decide(all, entry))
}
