import type { HeaderValueOption } from '@heddle/xds-types/envoy/config/core/v3'
import { CheckRequest, CheckResponse } from '@heddle/xds-types/envoy/service/auth/v3'
import { StatusCode } from '@heddle/xds-types/envoy/type/v3'
import type { GrpcService } from '../../config/grpc-service.js'
import { asciiLower } from '../../matcher/ascii.js'
import type { AppendAction } from '../../route/header-mutation.js'
import type { GrpcAnswer, GrpcClient } from '../../upstream/grpc-client.js'
import { GRPC_STATUS } from '../../upstream/grpc-status.js'
import type { AuthzCall, AuthzVerdict, HeaderEdit } from './ext-authz-verdict.js'

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
  const told = metadata === undefined ? {} : { metadata }
  if (error !== undefined) return failed('the service says that it cannot decide')
  if ((status?.code ?? 0) !== 0)
    return {
      kind: 'denied',
      status: statusNumber(denied?.status?.code) || FORBIDDEN,
      body: denied?.body ?? '',
      headers: (denied?.headers ?? []).map((option) => editOf(option, 'OVERWRITE_IF_EXISTS_OR_ADD')),
      ...told,
    }
  const set = ok?.query_parameters_to_set ?? []
  const remove = ok?.query_parameters_to_remove ?? []
  return {
    kind: 'ok',
    request: (ok?.headers ?? []).map((option) => editOf(option, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    remove: (ok?.headers_to_remove ?? []).map(asciiLower),
    response: (ok?.response_headers_to_add ?? []).map((option) => editOf(option, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    ...(set.length + remove.length > 0 && {
      query: { set: set.map(({ key = '', value = '' }) => [key, value] as const), remove },
    }),
    ...told,
  }
}

/** `append` says whether; an append_action other than the default says how. Neither: the value replaces. */
function editOf({ header, append, append_action: action }: HeaderValueOption, fallback: AppendAction): HeaderEdit {
  const name = asciiLower(header?.key ?? '')
  const raw = header?.raw_value
  const value =
    raw !== undefined && raw.length > 0
      ? Buffer.from(typeof raw === 'string' ? Buffer.from(raw, 'base64') : raw).toString('latin1')
      : Buffer.from(header?.value ?? '').toString('latin1')
  if (append !== undefined) return { name, value, action: append ? 'APPEND_IF_EXISTS_OR_ADD' : fallback }
  return {
    name,
    value,
    action: action === undefined || action === 'APPEND_IF_EXISTS_OR_ADD' ? fallback : (action as AppendAction),
  }
}

function statusNumber(code: unknown): number {
  if (typeof code === 'number') return code
  return typeof code === 'string' && Object.hasOwn(StatusCode.values, code) ? StatusCode.values[code as StatusCode] : 0
}
