import type { HTTPFaultInjection } from '@heddle/config-model'
import { defined, duration, type TypedMessage, typed } from '../message.js'
import { perMillion, wholePercent } from './percent.js'

const STATUS: Readonly<Record<string, number>> = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
}

/** Fault injection of a rule, for the fault filter. Without a percentage nothing is injected. */
export function faultConfig(fault: HTTPFaultInjection): TypedMessage {
  const { delay, abort } = fault
  return typed('envoy.extensions.filters.http.fault.v3.HTTPFault', {
    delay:
      delay?.fixedDelay === undefined
        ? undefined
        : {
            percentage: delay.percentage === undefined ? wholePercent(delay.percent ?? 0) : perMillion(delay.percentage.value),
            fixed_delay: duration(delay.fixedDelay),
          },
    abort:
      abort === undefined
        ? undefined
        : defined({
            percentage: abort.percentage === undefined ? undefined : perMillion(abort.percentage.value),
            http_status: abort.httpStatus,
            grpc_status: abort.grpcStatus === undefined ? undefined : (STATUS[abort.grpcStatus] ?? Number(abort.grpcStatus)),
          }),
  })
}
