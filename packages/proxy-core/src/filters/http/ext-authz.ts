import type { ExtAuthz, ExtAuthzPerRoute } from '@heddle/xds-types/envoy/extensions/filters/http/ext_authz/v3'
import { compileMessage } from '../../config/fields.js'
import { bodyOf, readWhole } from '../../http/body.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { peekBody, readAhead } from '../../http/peek-body.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { CLUSTER_LABEL } from '../../observe/labels.js'
import {
  type AuthzBody,
  compileExtAuthz,
  compileExtAuthzRoute,
  type ExtAuthzConfig,
  type ExtAuthzRoute,
} from './ext-authz-config.js'
import { checkOverGrpc } from './ext-authz-grpc.js'
import { checkOverHttp, type SentBody } from './ext-authz-http.js'
import { checkRequestOf } from './ext-authz-request.js'
import {
  type AuthzCall,
  type AuthzVerdict,
  applyEdit,
  applyToRequest,
  type HeaderEdit,
  isSendable,
  unsendableValue,
} from './ext-authz-verdict.js'

const NAMESPACE = 'envoy.filters.http.ext_authz'
const FLAG = 'UAEX'
const READ_AHEAD_BYTES = 64 * 1024

/** envoy.filters.http.ext_authz: another service decides. Without its decision a request is refused, unless failure_mode_allow is set. */
export const extAuthzFilter: HttpFilterFactory<ExtAuthzConfig> = {
  typeNames: ['envoy.extensions.filters.http.ext_authz.v3.ExtAuthz'],
  perRouteTypeNames: ['envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute'],
  decode: (config, path) => compileMessage(config as ExtAuthz, path, compileExtAuthz),
  decodePerRoute: (config, path) => compileMessage(config as ExtAuthzPerRoute, path, compileExtAuthzRoute),
  create(config, deps, name) {
    const counted = counterOf(config, deps)
    return (stream) => createFilter(config, stream.perRouteConfig(name) as ExtAuthzRoute | undefined, deps, counted)
  },
  explain(config, { metadata, perRoute, random }) {
    if ((perRoute as ExtAuthzRoute | undefined)?.disabled === true) return undefined
    const off = whyOff(config, metadata, random.next())
    if (off !== undefined) return { outcome: 'pass', reason: off }
    const { service } = config
    const cluster = service?.kind === 'http' ? service.uri.cluster : service?.cluster
    return { outcome: 'maybe', reason: `the authorization service behind ${cluster} decides` }
  },
}

/** Undefined: the service is asked. */
function whyOff(
  { enabled, enabledMetadata }: ExtAuthzConfig,
  metadata: HttpStream['info']['metadata'],
  dice: number,
): string | undefined {
  if (enabledMetadata !== undefined && !enabledMetadata.matches(metadata))
    return `not asked: ${enabledMetadata.name} is not ${enabledMetadata.text}`
  return dice < enabled ? undefined : 'not asked: filter_enabled leaves it out'
}

type Count = (name: string, stream: HttpStream) => void

/** For the manager, and for the cluster that the request goes to. */
function counterOf({ statPrefix: own }: ExtAuthzConfig, { stats, statPrefix = '' }: FilterDeps): Count {
  const counter = httpFilterCounter(stats, statPrefix, 'ext_authz', own)
  return (name, { route }) => {
    counter(name).inc()
    if (route?.kind !== 'forward' || !['ok', 'denied', 'error', 'failure_mode_allowed'].includes(name)) return
    const help = "Envoy's cluster ext_authz statistics."
    stats.counter(`envoy_cluster_ext_authz_${name}`, help, [CLUSTER_LABEL]).labels(route.target.cluster).inc()
  }
}

function createFilter(config: ExtAuthzConfig, route: ExtAuthzRoute | undefined, deps: FilterDeps, counted: Count): HttpFilter {
  if (route?.disabled === true) return {}
  let call: AuthzCall | undefined
  let response: readonly HeaderEdit[] = []
  const check = async (stream: HttpStream, body: SentBody | undefined): Promise<LocalReply | undefined> => {
    const start = deps.clock.monotonic()
    call = startCheck(config, route, stream, body, deps)
    const verdict = timed(await call.done, Math.floor(deps.clock.monotonic() - start))
    call = undefined
    if (verdict.kind === 'ok' && valid(verdict)) response = verdict.response
    return settle(config, verdict, stream, deps, counted)
  }
  return {
    onRequest(request, stream) {
      if (whyOff(config, stream.info.metadata, deps.random.next()) !== undefined) {
        counted('disabled', stream)
        return config.denyAtDisable ? refusal(config) : undefined
      }
      const wanted = route?.noBody === true ? undefined : (route?.body ?? config.body)
      if (request.body.length === 0 || request.upgrade !== undefined) return check(stream, undefined)
      if (wanted === undefined) {
        request.body = readAhead(request.body, READ_AHEAD_BYTES)
        return check(stream, undefined)
      }
      return holdBody(request, wanted).then((held) => ('status' in held ? held : check(stream, held)))
    },
    onResponse({ headers }) {
      for (const edit of response) applyEdit(headers, edit)
    },
    onComplete() {
      call?.cancel()
    },
  }
}

function startCheck(
  config: ExtAuthzConfig,
  route: ExtAuthzRoute | undefined,
  stream: HttpStream,
  body: SentBody | undefined,
  deps: FilterDeps,
): AuthzCall {
  const service = route?.service ?? config.service!
  if (service.kind === 'http') return checkOverHttp(service, config, stream.request, body, deps)
  const asBytes = (route?.body ?? config.body)?.asBytes === true
  const message = checkRequestOf(config, stream, body, route?.contextExtensions ?? {}, asBytes, deps)
  return checkOverGrpc(service, message, deps.grpc)
}

/** How long it took, beside what else an answer that lets a request pass tells. */
function timed(verdict: AuthzVerdict, tookMs: number): AuthzVerdict {
  if (verdict.kind !== 'ok' || verdict.metadata === undefined) return verdict
  return { ...verdict, metadata: { ...verdict.metadata, ext_authz_duration: tookMs } }
}

/** What the service is shown; the request keeps the whole. */
async function holdBody(request: HttpRequest, { maxBytes, allowPartial }: AuthzBody): Promise<SentBody | LocalReply> {
  if (allowPartial) {
    const { bytes, whole, body } = await peekBody(request.body, maxBytes)
    request.body = body
    return { bytes, partial: !whole }
  }
  try {
    const { bytes, trailers } = await readWhole(request.body, maxBytes)
    // A body that came in chunks goes on in chunks.
    request.body = { ...bodyOf(bytes, trailers), length: request.body.length }
    return { bytes, partial: false }
  } catch (error) {
    if ((error as { code?: string }).code !== 'too_large') throw error
    return { status: 413, body: 'Payload Too Large', details: 'request_payload_too_large', closes: true }
  }
}

function settle(
  config: ExtAuthzConfig,
  verdict: AuthzVerdict,
  stream: HttpStream,
  { logger }: FilterDeps,
  counted: Count,
): LocalReply | undefined {
  const { request, info } = stream
  if (verdict.kind !== 'error' && !valid(verdict)) {
    logger.warn({ path: request.path }, 'ext_authz: the service set a header that cannot be sent')
    const name = config.validateMutations || verdict.kind === 'denied' ? undefined : unsendableValue(verdict.request)
    if (name !== undefined) {
      counted('ok', stream)
      return unsendable(name)
    }
    counted('invalid', stream)
    return { status: 500, body: '', details: 'ext_authz_invalid', flag: FLAG }
  }
  if (verdict.kind === 'error') return failure(config, verdict, stream, logger, counted)
  if (verdict.metadata !== undefined) info.metadata.set(NAMESPACE, { ...info.metadata.get(NAMESPACE), ...verdict.metadata })
  counted(verdict.kind, stream)
  if (verdict.kind === 'ok') {
    if (applyToRequest(request, verdict) && config.clearRouteCache) stream.clearRoute()
    return undefined
  }
  const { status, body, headers } = verdict
  logger.info({ status, method: request.method, path: request.path }, 'ext_authz: access denied by the authorization service')
  const told = headers.map(({ name, value }) => [name, value] as const)
  return { status, body, details: 'ext_authz_denied', flag: FLAG, headers: told }
}

/** As Envoy's router finds it: nobody before has looked. */
function unsendable(name: string): LocalReply {
  const body = `invalid header value for: ${name}`
  const details = `filter_removed_required_request_headers{${body.replaceAll(' ', '_')}}`
  return { status: 503, body, details, flag: 'DPE' }
}

function failure(
  config: ExtAuthzConfig,
  { reason, timedOut }: Extract<AuthzVerdict, { kind: 'error' }>,
  stream: HttpStream,
  logger: FilterDeps['logger'],
  counted: Count,
): LocalReply | undefined {
  counted('error', stream)
  if (timedOut) counted('timeout', stream)
  logger.warn({ reason, path: stream.request.path, allowed: config.failureModeAllow }, 'ext_authz: no decision')
  if (!config.failureModeAllow) return refusal(config)
  counted('failure_mode_allowed', stream)
  if (config.failureModeAllowHeader) stream.request.headers.set('x-envoy-auth-failure-mode-allowed', 'true')
  return undefined
}

function refusal({ statusOnError }: ExtAuthzConfig): LocalReply {
  return { status: statusOnError, body: '', details: 'ext_authz_error', flag: FLAG }
}

function valid(verdict: Exclude<AuthzVerdict, { kind: 'error' }>): boolean {
  const edits = verdict.kind === 'ok' ? [...verdict.request, ...verdict.response] : verdict.headers
  return edits.every(isSendable) && (verdict.kind === 'ok' || (verdict.status >= 200 && verdict.status <= 599))
}
