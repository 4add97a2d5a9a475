import { hostname } from 'node:os'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { createUuid } from '../net/uuid.js'
import type { AccessLogEntry } from './access-log.js'
import { addressesWithoutPort, addressOperators } from './operators/addresses.js'
import { byteOperators } from './operators/bytes.js'
import { connectionId } from './operators/connection-id.js'
import { commonDuration, durationOperators } from './operators/durations.js'
import { coalesce, expressionOperators } from './operators/expressions.js'
import { grpcOperators, grpcStatus } from './operators/grpc.js'
import { headerOperators } from './operators/headers.js'
import { metadataOperators } from './operators/metadata.js'
import { inOneWord, type MakeOperator, type Operator, type PlainOperators, present } from './operators/operator.js'
import { timeOperators } from './operators/times.js'
import { tlsOperators } from './operators/tls.js'
import { upstreamOperators } from './operators/upstream.js'
import { longFlag } from './response-flags.js'
import { readTraceContext, type TraceContext } from './trace-context.js'

/** Compiles one command operator of Envoy's access log language (docs: configuration/advanced/substitution_formatter). */
export function compileOperator(command: string, args: string | undefined, path: string): Result<Operator> {
  const simple = Object.hasOwn(SIMPLE, command) ? SIMPLE[command] : undefined
  if (simple !== undefined) {
    if (args !== undefined && args !== '')
      return fail(problem('log.format', path, `%${command}% takes no argument, found (${args}).`))
    return ok(simple)
  }
  const make = Object.hasOwn(WITH_ARGUMENTS, command) ? WITH_ARGUMENTS[command] : undefined
  if (make !== undefined) return make(args ?? '', path)
  const known = UNSUPPORTED.has(command)
  const why = known
    ? 'is a command operator of Envoy that this proxy does not support'
    : 'is no command operator that this proxy knows'
  return fail(problem('log.format', path, `%${command}% ${why}.`))
}

/** Operators whose value `:LENGTH` may cut; Envoy refuses it of every other. */
export const TAKES_LENGTH: ReadonlySet<string> = new Set([
  ...['REQ', 'RESP', 'TRAILER', 'REQUEST_HEADER', 'RESPONSE_HEADER', 'RESPONSE_TRAILER', 'PATH', 'QUERY_PARAM', 'QUERY_PARAMS'],
  ...['DYNAMIC_METADATA', 'METADATA', 'FILTER_STATE', 'UPSTREAM_FILTER_STATE', 'CEL', 'TYPED_CEL', 'ENVIRONMENT', 'COALESCE'],
])

/** Operators that give values of protobuf's Struct, whose numbers are doubles. */
export const GIVES_VALUES: ReadonlySet<string> = new Set([
  ...['DYNAMIC_METADATA', 'CLUSTER_METADATA', 'UPSTREAM_METADATA', 'METADATA', 'TYPED_CEL'],
])

/** Those of Envoy's formatter extensions, which it refuses, too, where no `formatters` name them. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['FILE_CONTENT', 'SECRET', 'DYNAMIC_MODULE'])

/** Of the span that was made for the request; its headers tell upstreams. */
const trace =
  (read: (context: TraceContext) => string): Operator =>
  ({ requestHeaders }) => {
    const context = requestHeaders && readTraceContext(requestHeaders)
    return context && read(context)
  }

const HOSTNAME = hostname()

const SIMPLE: PlainOperators = {
  PROTOCOL: ({ info }) => present(info.protocol),
  RESPONSE_CODE: ({ info }) => info.status,
  // The string `-` in JSON, too: it is the name of "no flags", not an absent value.
  ACCESS_LOG_TYPE: accessLogType,
  // Empty texts, not absent values: no filter sets flags of its own, and replies are formatted before they are logged.
  CUSTOM_FLAGS: () => '',
  LOCAL_REPLY_BODY: ({ localReplyBody = '' }) => localReplyBody,
  RESPONSE_FLAGS: ({ info }) => (info.flags.size === 0 ? '-' : [...info.flags].join(',')),
  RESPONSE_FLAGS_LONG: ({ info }) => (info.flags.size === 0 ? '-' : [...info.flags].map(longFlag).join(',')),
  CONNECTION_TERMINATION_DETAILS: ({ connection }) => connection?.terminationDetails,
  CONNECTION_ID: ({ connection }) => (connection === undefined ? 0 : connectionId(connection)),
  STREAM_ID: ({ info }) => present(info.requestId),
  ROUTE_NAME: ({ info }) => present(info.routeName),
  FILTER_CHAIN_NAME: ({ info }) => present(info.servedAt?.filterChainName),
  VIRTUAL_CLUSTER_NAME: ({ info }) => present(info.virtualCluster),
  VIRTUAL_HOST_NAME: ({ info }) => present(info.virtualHost),
  TRACE_ID: trace((context) => context.traceId),
  SPAN_ID: trace((context) => context.spanId),
  HOSTNAME: () => HOSTNAME,
  UNIQUE_ID: () => createUuid(),
  ...addressOperators,
  ...byteOperators,
  ...durationOperators,
  ...grpcOperators,
  ...tlsOperators,
  ...upstreamOperators,
}

/** When a line is written, under Envoy's names. What a formatter makes of a request under way is no line. */
export function accessLogType({ info, type }: AccessLogEntry): NonNullable<AccessLogEntry['type']> {
  return type ?? (info.protocol === '' ? 'TcpConnectionEnd' : 'NotSet')
}

const codeDetails: MakeOperator = (args, path) => {
  if (args !== '' && args !== 'ALLOW_WHITESPACES')
    return fail(problem('log.format', path, `%RESPONSE_CODE_DETAILS(${args})%: the argument is ALLOW_WHITESPACES.`))
  if (args !== '') return ok(({ info }) => present(info.details))
  return ok(({ info: { details } }) => present(inOneWord(details)))
}

export const environment = (name: string): string | undefined => process.env[name]

const WITH_ARGUMENTS: Readonly<Record<string, MakeOperator>> = {
  GRPC_STATUS: grpcStatus,
  RESPONSE_CODE_DETAILS: codeDetails,
  COMMON_DURATION: commonDuration,
  ENVIRONMENT: (args, path) =>
    args === '' ? fail(problem('log.format', path, '%ENVIRONMENT% needs (NAME).')) : ok(() => environment(args) || '-'),
  COALESCE: coalesce(compileOperator),
  ...timeOperators,
  ...headerOperators,
  ...metadataOperators,
  ...expressionOperators,
  ...addressesWithoutPort,
}
