import { fail, ok, problem } from '@heddle/runtime'
import { grpcStatusOf, isGrpc } from '../../http/local-reply.js'
import type { AccessLogEntry } from '../access-log.js'
import type { MakeOperator, PlainOperators } from './operator.js'

// google.rpc.Code, in the two spellings that Envoy logs.
const NAMES =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  )

const snake = (camel: string | undefined): string | undefined => camel?.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()

const NO_NUMBER = -1

/** Of a gRPC request alone; where its answer names none, that of the HTTP status. */
function statusNumber({ info: { grpcStatus, status }, requestHeaders }: AccessLogEntry): number | undefined {
  if (requestHeaders === undefined || !isGrpc(requestHeaders)) return undefined
  if (grpcStatus === undefined || grpcStatus === '') return status === 0 ? undefined : grpcStatusOf(status)
  return /^\d+$/.test(grpcStatus) ? Number(grpcStatus) : NO_NUMBER
}

function statusName(entry: AccessLogEntry): string | undefined {
  const number = statusNumber(entry)
  return number === undefined ? undefined : (NAMES[number] ?? String(number))
}

export const grpcStatus: MakeOperator = (args, path) => {
  if (args === '' || args === 'CAMEL_STRING') return ok(statusName)
  if (args === 'NUMBER') return ok(statusNumber)
  if (args === 'SNAKE_STRING') return ok((entry) => snake(statusName(entry)))
  return fail(problem('log.format', path, `%GRPC_STATUS(${args})%: the argument is CAMEL_STRING, SNAKE_STRING or NUMBER.`))
}

export const grpcOperators: PlainOperators = { GRPC_STATUS_NUMBER: statusNumber }
