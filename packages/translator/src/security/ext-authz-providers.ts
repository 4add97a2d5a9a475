import type { EnvoyExtAuthzGrpcProvider, EnvoyExtAuthzHttpProvider, RequestBodyInCheck } from '@heddle/config-model'
import type { GrpcService } from '@heddle/xds-types/envoy/config/core/v3'
import type { AuthorizationResponse, ExtAuthz, HttpService } from '@heddle/xds-types/envoy/extensions/filters/http/ext_authz/v3'
import type { ExtAuthz as TcpExtAuthz } from '@heddle/xds-types/envoy/extensions/filters/network/ext_authz/v3'
import type { ListStringMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Build } from '../build.js'
import { defined, duration } from '../message.js'
import { lookupService } from '../service-lookup.js'
import { httpStatus } from './http-status.js'

/** How to ask a provider; without `tcp` it cannot be asked about connections. */
export interface AuthzService {
  readonly http: ExtAuthz
  readonly tcp?: TcpExtAuthz
}

const DEFAULT_TIMEOUT = 600_000

/** What does not depend on how the service is called. */
type CommonFields = Omit<ExtAuthz, 'grpc_service' | 'http_service'>

/** A provider of MeshConfig.extensionProviders that authorizes; undefined when there is none of that name, or it cannot be used. */
export function authzService(build: Build, name: string): AuthzService | undefined {
  const provider = build.mesh.extensionProviders.find((p) => p.name === name)
  if (provider?.envoyExtAuthzHttp !== undefined) return overHttp(build, provider.envoyExtAuthzHttp)
  return provider?.envoyExtAuthzGrpc === undefined ? undefined : overGrpc(build, provider.envoyExtAuthzGrpc)
}

function overHttp(build: Build, provider: EnvoyExtAuthzHttpProvider): AuthzService | undefined {
  const common = commonOf(build, provider)
  const { pathPrefix = '' } = provider
  if (common === undefined || (pathPrefix !== '' && !pathPrefix.startsWith('/'))) return undefined
  const { hostname, cluster, fields } = common
  const added = Object.entries(provider.includeAdditionalHeadersInCheck ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const http_service: HttpService = defined({
    path_prefix: pathPrefix || undefined,
    server_uri: { uri: `http://${hostname}`, cluster, timeout: duration(provider.timeout ?? DEFAULT_TIMEOUT) },
    authorization_request: added.length === 0 ? undefined : { headers_to_add: added.map(([key, value]) => ({ key, value })) },
    authorization_response: responseHeaders(provider),
  })
  const allowed_headers = headers(provider.includeRequestHeadersInCheck) ?? headers(provider.includeHeadersInCheck)
  return { http: { ...fields, http_service, ...(allowed_headers === undefined ? {} : { allowed_headers }) } }
}

function overGrpc(build: Build, provider: EnvoyExtAuthzGrpcProvider): AuthzService | undefined {
  const common = commonOf(build, provider)
  if (common === undefined) return undefined
  const { hostname, cluster, fields } = common
  const grpc_service: GrpcService = {
    envoy_grpc: { cluster_name: cluster, authority: hostname },
    timeout: duration(provider.timeout ?? DEFAULT_TIMEOUT),
  }
  return {
    http: { ...fields, grpc_service },
    tcp: {
      stat_prefix: 'tcp.',
      ...(provider.failOpen === true ? { failure_mode_allow: true } : {}),
      transport_api_version: 'V3',
      grpc_service,
    },
  }
}

function commonOf(
  build: Build,
  { service, port, failOpen, statusOnError = '', includeRequestBodyInCheck: body }: EnvoyExtAuthzGrpcProvider,
): { hostname: string; cluster: string; fields: CommonFields } | undefined {
  const found = port >= 1 && port <= 65535 ? lookupService(build, service, port) : undefined
  const status_on_error = httpStatus(statusOnError)
  if (found === undefined || (statusOnError !== '' && status_on_error === undefined)) return undefined
  const fields: CommonFields = defined({
    status_on_error,
    failure_mode_allow: failOpen === true ? true : undefined,
    transport_api_version: 'V3',
    with_request_body: body === undefined ? undefined : bodyOf(body),
  })
  return { ...found, fields }
}

function bodyOf({ maxRequestBytes, allowPartialMessage, packAsBytes }: RequestBodyInCheck): ExtAuthz['with_request_body'] {
  return defined({
    max_request_bytes: maxRequestBytes || undefined,
    allow_partial_message: allowPartialMessage === true ? true : undefined,
    pack_as_bytes: packAsBytes === true ? true : undefined,
  })
}

function responseHeaders(provider: EnvoyExtAuthzHttpProvider): AuthorizationResponse | undefined {
  const response = defined({
    allowed_upstream_headers: headers(provider.headersToUpstreamOnAllow),
    allowed_client_headers: headers(provider.headersToDownstreamOnDeny),
    allowed_client_headers_on_success: headers(provider.headersToDownstreamOnAllow),
  })
  return Object.keys(response).length === 0 ? undefined : response
}

/** Names of headers; `*` stands for the rest at one end. */
function headers(names: readonly string[] | undefined): ListStringMatcher | undefined {
  if (names === undefined || names.length === 0) return undefined
  const patterns = names.map((name) => ({ ...pattern(name), ignore_case: true }))
  return { patterns }
}

function pattern(name: string): { suffix: string } | { prefix: string } | { exact: string } {
  if (name.startsWith('*')) return { suffix: name.slice(1) }
  return name.endsWith('*') ? { prefix: name.slice(0, -1) } : { exact: name }
}
