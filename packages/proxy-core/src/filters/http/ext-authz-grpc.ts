import type { HeaderValueOption } from '@heddle/xds-types/envoy/config/core/v3'
import { CheckRequest, CheckResponse } from '@heddle/xds-types/envoy/service/auth/v3'
import { StatusCode } from '@heddle/xds-types/envoy/type/v3'
import type { GrpcService } from '../../config/grpc-service.js'
import { asciiLower } from '../../matcher/ascii.js'
import type { GrpcAnswer, GrpcClient } from '../../upstream/grpc-client.js'
import { GRPC_STATUS } from '../../upstream/grpc-status.js'
import type { AuthzCall, AuthzVerdict, EditAction, HeaderEdit } from './ext-authz-verdict.js'

const CHECK = '/envoy.service.auth.v3.Authorization/Check'
const FORBIDDEN = 403

export function checkOverGrpc(
  service: GrpcService,
  request: CheckRequest,
  client: ((cluster: string) => GrpcClient) | undefined,
): AuthzCall {
  if (client === undefined) return { done: Promise.resolve(failed('there is no network')), cancel() {} }
  const { cluster, authority, timeoutMs, metadata } = service
  const options = { path: CHECK, timeoutMs, metadata, ...(authority !== undefined && { authority }) }
  const call = client(cluster).call(options, CheckRequest.encode(request))
  return { done: call.done.then(verdictOf), cancel: call.cancel }
}

function failed(reason: string, timedOut = false): AuthzVerdict {
  return { kind: 'error', reason, timedOut }
}

function verdictOf({ code, message, response }: GrpcAnswer): AuthzVerdict {
  if (code !== GRPC_STATUS.ok || response === undefined)
    return failed(`${code} ${message}`, code === GRPC_STATUS.deadlineExceeded)
  const decoded = CheckResponse.decode(response)
  return decoded.ok ? verdictIn(decoded.value) : failed('the answer is no CheckResponse')
}

function verdictIn({
  status,
  ok_response: ok,
  denied_response: denied,
  error_response: error,
  ...rest
}: CheckResponse): AuthzVerdict {
  const metadata = (rest.dynamic_metadata ?? ok?.dynamic_metadata) as Readonly<Record<string, unknown>> | undefined
  const told = metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }
  if (error !== undefined) return failed('the service says that it cannot decide')
  if ((status?.code ?? 0) !== 0)
    return {
      kind: 'denied',
      status: statusNumber(denied?.status?.code) || FORBIDDEN,
      body: denied?.body ?? '',
      // Envoy leaves out those that say `append`.
      headers: (denied?.headers ?? []).filter(({ append }) => append !== true).map((option) => editOf(option, SET)),
      ...told,
    }
  const set = ok?.query_parameters_to_set ?? []
  const remove = ok?.query_parameters_to_remove ?? []
  return {
    kind: 'ok',
    // append_action is not looked at here.
    request: (ok?.headers ?? []).map((option) => editOf(option, option.append === true ? 'JOIN_IF_EXISTS_OR_ADD' : SET)),
    remove: (ok?.headers_to_remove ?? []).map(asciiLower),
    response: (ok?.response_headers_to_add ?? []).map((option) => editOf(option, responseAction(option))),
    ...(set.length + remove.length > 0 && {
      query: { set: set.map(({ key = '', value = '' }) => [key, value] as const), remove },
    }),
    ...told,
  }
}

const SET: EditAction = 'OVERWRITE_IF_EXISTS_OR_ADD'
const ADD: EditAction = 'APPEND_IF_EXISTS_OR_ADD'

/** `append` where it is set, append_action where not. */
function responseAction({ append, append_action: action }: HeaderValueOption): EditAction {
  if (append !== undefined) return append ? ADD : SET
  return (action as EditAction | undefined) ?? ADD
}

function editOf({ header }: HeaderValueOption, action: EditAction): HeaderEdit {
  const raw = header?.raw_value
  const value =
    raw !== undefined && raw.length > 0
      ? Buffer.from(typeof raw === 'string' ? Buffer.from(raw, 'base64') : raw).toString('latin1')
      : Buffer.from(header?.value ?? '').toString('latin1')
  return { name: asciiLower(header?.key ?? ''), value, action }
}

function statusNumber(code: unknown): number {
  if (typeof code === 'number') return code
  return typeof code === 'string' && Object.hasOwn(StatusCode.values, code) ? StatusCode.values[code as StatusCode] : 0
}
