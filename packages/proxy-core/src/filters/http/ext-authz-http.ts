import type { FilterDeps } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import { asciiLower } from '../../matcher/ascii.js'
import type { AppendAction } from '../../route/header-mutation.js'
import type { HttpAnswer } from '../../upstream/http-client.js'
import type { ExtAuthzConfig, HeaderNames, HttpAuthzService } from './ext-authz-config.js'
import type { AuthzCall, AuthzVerdict, HeaderEdit } from './ext-authz-verdict.js'

/** The part of a body that goes along. */
export interface SentBody {
  readonly bytes: Uint8Array
  readonly partial: boolean
}

const ALWAYS_SENT = new Set(['authorization'])
const ALWAYS_TOLD = new Set(['www-authenticate', 'location'])
/** Of one connection, or made anew by our own answer. */
const NEVER_TOLD = new Set(['host', 'content-length', 'connection', 'transfer-encoding', 'keep-alive', 'date', 'server'])
const TO_REMOVE = 'x-envoy-auth-headers-to-remove'
const PARTIAL = 'x-envoy-auth-partial-body'

/** The request itself asks: its method, host and path, and the headers that are allowed, go to the authorization service. */
export function checkOverHttp(
  service: HttpAuthzService,
  config: ExtAuthzConfig,
  request: HttpRequest,
  body: SentBody | undefined,
  { http, clock }: Pick<FilterDeps, 'http' | 'clock'>,
): AuthzCall {
  if (http === undefined) return { done: Promise.resolve(failed('there is no network')), cancel() {} }
  const start = clock.monotonic()
  const call = http.call({
    ...service.uri,
    method: request.method,
    authority: request.authority,
    path: service.pathOverride === '' ? service.pathPrefix + request.path : service.pathOverride,
    headers: headersOf(service, config, request, body),
    ...(body && { body: body.bytes }),
  })
  return {
    done: call.done.then((answer) =>
      'failure' in answer
        ? failed(answer.failure, answer.timedOut === true)
        : verdictOf(service, answer, Math.floor(clock.monotonic() - start)),
    ),
    cancel: call.cancel,
  }
}

function failed(reason: string, timedOut = false): AuthzVerdict {
  return { kind: 'error', reason, timedOut }
}

function headersOf(
  service: HttpAuthzService,
  { allowedHeaders, disallowedHeaders }: ExtAuthzConfig,
  request: HttpRequest,
  body: SentBody | undefined,
): readonly (readonly [string, string])[] {
  const allowed = allowedHeaders ?? service.allowed
  const added = new Set(service.headersToAdd.map(([name]) => name))
  const sent = [...request.headers].filter(
    ([name]) =>
      name !== PARTIAL &&
      name !== 'content-length' &&
      !added.has(name) &&
      !fits(disallowedHeaders, name) &&
      (ALWAYS_SENT.has(name) || fits(allowed, name)),
  )
  const partial = body === undefined ? [] : [[PARTIAL, String(body.partial)] as const]
  return [...sent, ['content-length', String(body?.bytes.length ?? 0)], ...partial, ...service.headersToAdd]
}

/** 200 lets it pass, any 5xx is no decision; the rest is an answer for the client. */
function verdictOf(service: HttpAuthzService, answer: HttpAnswer, serviceMs: number): AuthzVerdict {
  const { status, headers } = answer
  if (status >= 500) return failed(`the authorization service answered ${status}`)
  const metadata = metadataOf(service, headers)
  if (status === 200) {
    const request = [
      ...edits(headers, service.upstream, 'OVERWRITE_IF_EXISTS_OR_ADD'),
      ...edits(headers, service.upstreamAppend, 'APPEND_IF_EXISTS_OR_ADD'),
    ]
    const remove = headers
      .getAll(TO_REMOVE)
      .flatMap((list) => list.split(','))
      .map((name) => asciiLower(name.trim()))
      .filter((name) => name !== '')
    const response = edits(headers, service.clientOnSuccess, 'APPEND_IF_EXISTS_OR_ADD')
    return { kind: 'ok', request, remove, response, ...(metadata && { metadata }) }
  }
  const told = [...headers].filter(
    ([name]) => !NEVER_TOLD.has(name) && (service.client === undefined || ALWAYS_TOLD.has(name) || fits(service.client, name)),
  )
  // As Envoy's router adds it to every answer: it is told where all headers are.
  if (service.client === undefined) told.push(['x-envoy-upstream-service-time', String(serviceMs)])
  return {
    kind: 'denied',
    status,
    body: Buffer.from(answer.body).toString('utf8'),
    headers: told.map(([name, value]) => ({ name, value, action: 'APPEND_IF_EXISTS_OR_ADD' as const })),
    ...(metadata && { metadata }),
  }
}

function edits(headers: HeaderMap, names: HeaderNames, action: AppendAction): readonly HeaderEdit[] {
  return [...headers].filter(([name]) => fits(names, name)).map(([name, value]) => ({ name, value, action }))
}

function metadataOf(service: HttpAuthzService, headers: HeaderMap): Readonly<Record<string, unknown>> | undefined {
  const found = [...headers].filter(([name]) => fits(service.metadata, name))
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

function fits(names: HeaderNames, name: string): boolean {
  return names?.some(({ matches }) => matches(name)) === true
}
