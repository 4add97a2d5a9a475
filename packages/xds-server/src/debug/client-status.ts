import { ok, type Result } from '@heddle/runtime'
import { packedAny, type VersionedResource } from '@heddle/xds-types'
import type {
  ClientConfig,
  ClientConfig_GenericXdsConfig,
  ClientStatusRequest,
  ClientStatusResponse,
  ConfigStatus,
} from '@heddle/xds-types/envoy/service/status/v3'
import { knownTypes } from '@heddle/xds-types/known'
import type { StreamStatus, TypeStatus } from '../status.js'
import { compileNodeMatcher, type NodeTest } from './node-matcher.js'

interface Observed {
  status(): Iterable<StreamStatus>
  sent(streamId: string): ReadonlyMap<string, readonly VersionedResource[]>
}

/**
 * CSDS as a management server answers it (`envoy.service.status.v3`, xds-protocol 87): for each stream and resource whether the client has
 * accepted it. Secrets go without their contents. Fails with `csds.unsupported` for a matcher that is not understood, rather than showing too much.
 */
export function clientStatus(server: Observed, request: ClientStatusRequest): Result<ClientStatusResponse> {
  const matchers: NodeTest[] = []
  for (const [i, matcher] of (request.node_matchers ?? []).entries()) {
    const compiled = compileNodeMatcher(matcher, `node_matchers[${i}]`)
    if (!compiled.ok) return compiled
    matchers.push(compiled.value)
  }
  const config: ClientConfig[] = []
  for (const stream of server.status()) {
    const { node } = stream
    if (node === undefined || (matchers.length > 0 && !matchers.some((matches) => matches(node)))) continue
    config.push(clientConfig(stream, server.sent(stream.streamId), request.exclude_resource_contents !== true))
  }
  return ok({ config })
}

function clientConfig(
  stream: StreamStatus,
  sent: ReadonlyMap<string, readonly VersionedResource[]>,
  contents: boolean,
): ClientConfig {
  const configs: ClientConfig_GenericXdsConfig[] = []
  for (const type of stream.types.values()) {
    const unaccepted = new Set(type.unaccepted)
    for (const resource of sent.get(type.typeUrl) ?? []) {
      configs.push(resourceConfig(type, resource, unaccepted.has(resource.name), contents))
    }
  }
  return { ...(stream.node === undefined ? {} : { node: stream.node }), generic_xds_configs: configs }
}

function resourceConfig(
  { typeUrl, state, sent, nacked }: TypeStatus,
  { name, version, bytes }: VersionedResource,
  unaccepted: boolean,
  contents: boolean,
): ClientConfig_GenericXdsConfig {
  const refused = unaccepted && state === 'NACKED' && nacked?.resources.includes(name) ? nacked : undefined
  const body = contents ? redacted(typeUrl, bytes) : undefined
  return {
    type_url: typeUrl,
    name,
    version_info: version,
    config_status: statusOf(refused !== undefined, unaccepted),
    ...(body === undefined ? {} : { xds_config: body }),
    ...(sent === undefined ? {} : { last_updated: new Date(sent.at).toISOString() }),
    ...(refused === undefined
      ? {}
      : {
          error_state: {
            details: refused.error.message,
            last_update_attempt: new Date(refused.at).toISOString(),
            version_info: refused.version,
          },
        }),
  }
}

function statusOf(refused: boolean, unaccepted: boolean): ConfigStatus {
  if (refused) return 'ERROR'
  return unaccepted ? 'STALE' : 'SYNCED'
}

/** What cannot be read, or is no message any more without its private parts, is left out. */
function redacted(typeUrl: string, bytes: Uint8Array): ClientConfig_GenericXdsConfig['xds_config'] {
  const type = knownTypes.find(typeUrl)
  const decoded = type?.decode(bytes, knownTypes)
  if (type === undefined || decoded?.ok !== true) return undefined
  const shown = type.fromJson(type.toJson(decoded.value, { registry: knownTypes, redact: true }), knownTypes)
  return shown.ok ? packedAny(typeUrl, type.encode(shown.value, knownTypes)) : undefined
}
