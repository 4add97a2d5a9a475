import { into, refuse, type Site, warn } from '../decode/site.js'
import type { Percent } from '../kinds/common.js'
import type { FaultAbort, FaultDelay, HTTPFaultInjection } from '../kinds/http-route.js'
import { CODE } from './code.js'
import { checkDuration } from './duration.js'

const GRPC_STATUSES: ReadonlySet<string> = new Set(
  (
    'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED ' +
    'FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'
  ).split(' '),
)

export function checkFault(fault: HTTPFaultInjection | undefined, at: Site): void {
  if (fault === undefined) return
  if (fault.abort === undefined && fault.delay === undefined)
    refuse(at, CODE.required, 'HTTP fault injection must have an abort and/or a delay')
  if (fault.abort !== undefined) checkAbort(fault.abort, into(at, 'abort'))
  if (fault.delay !== undefined) checkDelay(fault.delay, into(at, 'delay'))
}

function checkAbort({ percentage, httpStatus, grpcStatus, http2Error }: FaultAbort, at: Site): void {
  checkPercentage(percentage, into(at, 'percentage'))
  const kinds = [httpStatus, grpcStatus, http2Error].filter((kind) => kind !== undefined)
  if (kinds.length > 1) refuse(at, CODE.conflict, 'only one of httpStatus, grpcStatus and http2Error may be set')
  if (grpcStatus !== undefined && !GRPC_STATUSES.has(grpcStatus)) {
    refuse(
      into(at, 'grpcStatus'),
      CODE.invalid,
      `gRPC status "${grpcStatus}" is not supported: one of ${[...GRPC_STATUSES].join(', ')}`,
    )
  }
  if (http2Error !== undefined) refuse(into(at, 'http2Error'), CODE.invalid, 'HTTP/2 abort fault injection not supported yet')
  if (httpStatus !== undefined) checkHttpStatus(httpStatus, into(at, 'httpStatus'))
  if (kinds.length === 0) warn(at, CODE.noEffect, 'abort configured, but error type not set: write httpStatus or grpcStatus')
}

function checkDelay({ percentage, fixedDelay, exponentialDelay }: FaultDelay, at: Site): void {
  checkPercentage(percentage, into(at, 'percentage'))
  checkDuration(fixedDelay, at, 'fixedDelay')
  if (exponentialDelay !== undefined)
    refuse(into(at, 'exponentialDelay'), CODE.invalid, 'exponentialDelay not supported yet: use fixedDelay')
}

function checkPercentage(percentage: Percent | undefined, at: Site): void {
  if (percentage === undefined) return
  const { value } = percentage
  if (value < 0 || value > 100 || (value > 0 && value < 0.0001))
    refuse(at, CODE.range, `percentage ${value} is neither 0.0, nor in range [0.0001, 100.0]`)
}

export function checkHttpStatus(status: number, at: Site): void {
  if (status < 200 || status > 600) refuse(at, CODE.range, `HTTP status ${status} is not in range 200-599`)
}
