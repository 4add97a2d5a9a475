import { packedAny } from '@heddle/xds-types'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import type { PeerIdentity } from './access.js'
import type { XdsServer } from './xds-server.js'

/** An answer over HTTP. `body` is JSON, '' for 304. */
export interface RestAnswer {
  readonly status: number
  readonly body: string
}

const PREFIX = 'type.googleapis.com/'
const PATHS: Readonly<Record<string, string>> = {
  '/v3/discovery:clusters': `${PREFIX}envoy.config.cluster.v3.Cluster`,
  '/v3/discovery:endpoints': `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  '/v3/discovery:listeners': `${PREFIX}envoy.config.listener.v3.Listener`,
  '/v3/discovery:routes': `${PREFIX}envoy.config.route.v3.RouteConfiguration`,
  '/v3/discovery:scoped-routes': `${PREFIX}envoy.config.route.v3.ScopedRouteConfiguration`,
  '/v3/discovery:secrets': `${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`,
  '/v3/discovery:runtime': `${PREFIX}envoy.service.runtime.v3.Runtime`,
  '/v3/discovery:extension_configs': `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`,
}

/**
 * Answers a REST poll (Envoy's `api_type: REST`): POST of a DiscoveryRequest as JSON to `/v3/discovery:clusters` and its kin. 304 while
 * `version_info` is current, 503 while the node has nothing yet, so that a client keeps what it has. Bring your own HTTP server.
 */
export function answerRest(
  server: Pick<XdsServer, 'fetch' | 'identifier'>,
  path: string,
  body: string,
  identity?: PeerIdentity,
): RestAnswer {
  const typeUrl = PATHS[path]
  if (typeUrl === undefined) return problem(404, `there is no ${path}; there are ${Object.keys(PATHS).join(', ')}`)
  const request = parse(body)
  if (!request.ok) return problem(400, request.diagnostics.map(({ path: at, message }) => `${at}: ${message}`).join('; '))
  const fetched = server.fetch({ request: request.value, typeUrl, ...(identity === undefined ? {} : { identity }) })
  if (!fetched.ok) {
    const [first] = fetched.diagnostics
    return problem(first?.code === 'xds.forbidden' ? 403 : 400, first?.message ?? 'refused')
  }
  const found = fetched.value
  if (found.kind === 'unchanged') return { status: 304, body: '' }
  if (found.kind !== 'resources') return problem(503, 'this node has no such resources yet')
  const { version, nonce, resources } = found.response
  const response: DiscoveryResponse = {
    version_info: version,
    type_url: typeUrl,
    nonce,
    control_plane: { identifier: server.identifier },
    resources: resources.map(({ bytes }) => packedAny(typeUrl, bytes)),
  }
  return { status: 200, body: JSON.stringify(DiscoveryResponse.toJson(response, { registry: knownTypes })) }
}

function parse(body: string): ReturnType<typeof DiscoveryRequest.fromJson> {
  try {
    return DiscoveryRequest.fromJson(JSON.parse(body), knownTypes)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      ok: false,
      diagnostics: [{ code: 'xds.json', severity: 'error', path: '', message: `the body is not JSON: ${message}` }],
    }
  }
}

function problem(status: number, message: string): RestAnswer {
  return { status, body: JSON.stringify({ message }) }
}
