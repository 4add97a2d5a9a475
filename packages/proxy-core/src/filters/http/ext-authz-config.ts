import type { GrpcService as GrpcServiceProto } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  BufferSettings,
  CheckSettings,
  ExtAuthz,
  ExtAuthzPerRoute,
  HttpService as HttpServiceProto,
} from '@heddle/xds-types/envoy/extensions/filters/http/ext_authz/v3'
import type { ListStringMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import { StatusCode } from '@heddle/xds-types/envoy/type/v3'
import type { Fields } from '../../config/fields.js'
import { compileRuntimeFraction } from '../../config/fraction.js'
import { compileGrpcService, compileHttpUri, type GrpcService, type HttpUri } from '../../config/grpc-service.js'
import { asciiLower } from '../../matcher/ascii.js'
import { compileStringMatcher, type StringMatcher } from '../../matcher/string.js'
import { compileMetadataMatcher, type MetadataTest } from '../../matcher/value.js'

/** Names of headers. Undefined: nothing is said, and each list has its own default. */
export type HeaderNames = readonly StringMatcher[] | undefined

export interface HttpAuthzService {
  readonly kind: 'http'
  readonly uri: HttpUri
  readonly pathPrefix: string
  /** In place of the request's path. */
  readonly pathOverride: string
  readonly allowed: HeaderNames
  readonly headersToAdd: readonly (readonly [name: string, value: string])[]
  readonly upstream: HeaderNames
  readonly upstreamAppend: HeaderNames
  readonly client: HeaderNames
  readonly clientOnSuccess: HeaderNames
  readonly metadata: HeaderNames
}

export type AuthzServiceConfig = HttpAuthzService | ({ readonly kind: 'grpc' } & GrpcService)

export interface AuthzBody {
  readonly maxBytes: number
  readonly allowPartial: boolean
  readonly asBytes: boolean
}

/** ExtAuthz, compiled. */
export interface ExtAuthzConfig {
  /** Undefined only beside a problem. */
  readonly service: AuthzServiceConfig | undefined
  readonly statPrefix: string
  readonly failureModeAllow: boolean
  readonly failureModeAllowHeader: boolean
  readonly statusOnError: number
  readonly body: AuthzBody | undefined
  readonly clearRouteCache: boolean
  readonly allowedHeaders: HeaderNames
  readonly disallowedHeaders: HeaderNames
  readonly enabled: number
  readonly enabledMetadata: MetadataTest | undefined
  readonly denyAtDisable: boolean
  readonly includePeerCertificate: boolean
  readonly includeTlsSession: boolean
  readonly metadataNamespaces: readonly string[]
  readonly routeMetadataNamespaces: readonly string[]
  readonly labelsKey: string
  /** Headers that cannot be sent are never sent; this says who is blamed, the service or the request. */
  readonly validateMutations: boolean
}

const FORBIDDEN = 403
const TIMEOUT_MS = 200

export function compileExtAuthz(fields: Fields<ExtAuthz>): ExtAuthzConfig {
  const enabled = fields.message('filter_enabled')
  const enabledMetadata = fields.message('filter_enabled_metadata')
  const config: ExtAuthzConfig = {
    service: compileService(fields),
    statPrefix: fields.string('stat_prefix'),
    failureModeAllow: fields.boolean('failure_mode_allow'),
    failureModeAllowHeader: fields.boolean('failure_mode_allow_header_add'),
    statusOnError: compileStatus(fields),
    body: compileBody(fields.message('with_request_body')),
    clearRouteCache: fields.boolean('clear_route_cache'),
    allowedHeaders: compileNames(fields.message('allowed_headers')),
    disallowedHeaders: compileNames(fields.message('disallowed_headers')),
    enabled: compileRuntimeFraction(enabled, 1),
    enabledMetadata: enabledMetadata && compileMetadataMatcher(enabledMetadata),
    denyAtDisable: compileDenyAtDisable(fields),
    includePeerCertificate: fields.boolean('include_peer_certificate'),
    includeTlsSession: fields.boolean('include_tls_session'),
    metadataNamespaces: fields.strings('metadata_context_namespaces'),
    routeMetadataNamespaces: fields.strings('route_metadata_context_namespaces'),
    labelsKey: fields.string('bootstrap_metadata_labels_key'),
    validateMutations: fields.boolean('validate_mutations'),
  }
  fields.choice('transport_api_version', ['AUTO', 'V3'], 'V3')
  fields.done({
    charge_cluster_response_stats: 'a denial is no answer of the upstream',
    enable_dynamic_metadata_ingestion: 'metadata is taken',
    emit_client_span: 'a check has no span of its own',
    emit_filter_state_stats: 'names statistics',
    filter_metadata: 'nothing here reads it',
  })
  return config
}

type WithService = Pick<ExtAuthz, never> & {
  grpc_service?: ExtAuthz['grpc_service']
  http_service?: ExtAuthz['http_service']
}

function compileService(fields: Fields<ExtAuthz>): AuthzServiceConfig | undefined {
  const service = serviceIn(fields as unknown as Fields<WithService>)
  if (service === undefined && !fields.has('grpc_service') && !fields.has('http_service'))
    fields.problem('needs one of grpc_service, http_service.')
  return service
}

function serviceIn(fields: Fields<WithService>): AuthzServiceConfig | undefined {
  const grpc = fields.message('grpc_service')
  if (grpc !== undefined) {
    const service = compileAuthzGrpcService(grpc)
    return service && { kind: 'grpc', ...service }
  }
  const http = fields.message('http_service')
  return http && compileHttpService(http)
}

/** A check without a timeout of its own has 200 ms. */
export function compileAuthzGrpcService(fields: Fields<GrpcServiceProto>): GrpcService | undefined {
  const service = compileGrpcService(fields)
  return service && { ...service, timeoutMs: service.timeoutMs || TIMEOUT_MS }
}

function compileHttpService(fields: Fields<HttpServiceProto>): HttpAuthzService | undefined {
  const server = fields.message('server_uri')
  const uri = server && compileHttpUri(server)
  if (server === undefined) fields.problem('is required.', 'server_uri')
  const request = fields.message('authorization_request')
  const response = fields.message('authorization_response')
  const service = {
    kind: 'http' as const,
    pathPrefix: fields.string('path_prefix'),
    pathOverride: fields.string('path_override'),
    allowed: compileNames(request?.message('allowed_headers')),
    headersToAdd: (request?.messages('headers_to_add') ?? []).map((each) => {
      const header = [asciiLower(each.string('key')), each.string('value')] as const
      each.done()
      return header
    }),
    upstream: compileNames(response?.message('allowed_upstream_headers')),
    upstreamAppend: compileNames(response?.message('allowed_upstream_headers_to_append')),
    client: compileNames(response?.message('allowed_client_headers')),
    clientOnSuccess: compileNames(response?.message('allowed_client_headers_on_success')),
    metadata: compileNames(response?.message('dynamic_metadata_from_headers')),
  }
  request?.done()
  response?.done()
  fields.done()
  if (service.pathPrefix !== '' && !service.pathPrefix.startsWith('/')) fields.problem('must begin with "/".', 'path_prefix')
  return uri && { ...service, uri: { ...uri, timeoutMs: uri.timeoutMs || TIMEOUT_MS } }
}

function compileNames(fields: Fields<ListStringMatcher> | undefined): HeaderNames {
  if (fields === undefined) return undefined
  const names = fields.messages('patterns').map(compileStringMatcher)
  fields.done()
  return names.length === 0 ? undefined : names
}

function compileBody(fields: Fields<BufferSettings> | undefined): AuthzBody | undefined {
  if (fields === undefined) return undefined
  const body = {
    maxBytes: fields.number('max_request_bytes'),
    allowPartial: fields.boolean('allow_partial_message'),
    asBytes: fields.boolean('pack_as_bytes'),
  }
  fields.done()
  if (body.maxBytes < 1) fields.problem('must be 1 or more.', 'max_request_bytes')
  return body
}

function compileStatus(fields: Fields<ExtAuthz>): number {
  const status = fields.message('status_on_error')
  const code = status?.raw('code')
  status?.done()
  const number = typeof code === 'string' && Object.hasOwn(StatusCode.values, code) ? StatusCode.values[code as StatusCode] : code
  return typeof number === 'number' && number > 0 ? number : FORBIDDEN
}

function compileDenyAtDisable(fields: Fields<ExtAuthz>): boolean {
  const flag = fields.message('deny_at_disable')
  const value = flag?.boolean('default_value') ?? false
  flag?.done({ runtime_key: 'no runtime layer overrides it' })
  return value
}

/** A route's own. */
export interface ExtAuthzRoute {
  readonly disabled: boolean
  readonly contextExtensions: Readonly<Record<string, string>>
  readonly noBody: boolean
  readonly body: AuthzBody | undefined
  readonly service: AuthzServiceConfig | undefined
}

export function compileExtAuthzRoute(fields: Fields<ExtAuthzPerRoute>): ExtAuthzRoute {
  const disabled = fields.boolean('disabled')
  const settings = fields.message('check_settings')
  const route = settings === undefined ? NO_SETTINGS : compileSettings(settings)
  fields.done()
  if (!disabled && settings === undefined) fields.problem('needs one of disabled, check_settings.')
  return { ...route, disabled }
}

const NO_SETTINGS: Omit<ExtAuthzRoute, 'disabled'> = {
  contextExtensions: {},
  noBody: false,
  body: undefined,
  service: undefined,
}

function compileSettings(fields: Fields<CheckSettings>): Omit<ExtAuthzRoute, 'disabled'> {
  const extensions = fields.raw('context_extensions')
  const settings = {
    contextExtensions: (typeof extensions === 'object' && extensions !== null ? extensions : {}) as Record<string, string>,
    noBody: fields.boolean('disable_request_body_buffering'),
    body: compileBody(fields.message('with_request_body')),
    service: serviceIn(fields as unknown as Fields<WithService>),
  }
  fields.done({ emit_client_span: 'a check has no span of its own' })
  return settings
}
