import type { TelemetryCustomTag } from '@heddle/config-model'
import type { HttpConnectionManager_Tracing } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { versionAtLeast } from '../proxy.js'

type Tag = NonNullable<HttpConnectionManager_Tracing['custom_tags']>[number]

/** The tags of every span, by name: the user's (those of Telemetry, else of ProxyConfig.tracing) and Istio's own. */
export function customTags(
  build: Build,
  istioTags: boolean,
  given: Readonly<Record<string, TelemetryCustomTag>> | undefined = {},
): readonly Tag[] {
  const chosen = Object.keys(given).length > 0 ? given : (build.proxyConfig.tracing?.customTags ?? {})
  const formats = versionAtLeast(build.proxy, 1, 29)
  const own = Object.entries(chosen).flatMap(([tag, value]) =>
    formats || !('formatter' in value) ? (customTag(tag, value) ?? []) : [],
  )
  const peers = build.proxy.type === 'waypoint' ? PEER_TAGS : []
  const tags = [...own, ...peers, ...(istioTags ? [...DRY_RUN_TAGS, ...workloadTags(build)] : [])]
  return tags.sort((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1))
}

/** A text, an environment variable of the proxy, a header of the request, or a format of access logs. */
function customTag(tag: string, { literal, environment, header, formatter }: TelemetryCustomTag): Tag | undefined {
  const named = ({
    name,
    defaultValue = '',
  }: {
    name: string
    defaultValue?: string
  }): { name: string; default_value?: string } => (defaultValue === '' ? { name } : { name, default_value: defaultValue })
  if (literal !== undefined) return { tag, literal }
  if (environment !== undefined) return { tag, environment: named(environment) }
  if (header !== undefined) return { tag, request_header: named(header) }
  return formatter === undefined ? undefined : { tag, value: formatter.value }
}

const DRY_RUN_TAGS: readonly Tag[] = (['allow', 'deny'] as const).flatMap((action) => [
  rbacTag(`istio.authorization.dry_run.${action}_policy.name`, `istio_dry_run_${action}_shadow_effective_policy_id`),
  rbacTag(`istio.authorization.dry_run.${action}_policy.result`, `istio_dry_run_${action}_shadow_engine_result`),
])

function rbacTag(tag: string, key: string): Tag {
  return { tag, metadata: { kind: { request: {} }, metadata_key: { key: 'envoy.filters.http.rbac', path: [{ key }] } } }
}

function workloadTags(build: Build): Tag[] {
  const { labels, metadata, cluster, namespace } = build.proxy
  const mesh = metadata['MESH_ID']
  const tags: [string, string][] = [
    ['istio.canonical_revision', labels['service.istio.io/canonical-revision'] ?? 'latest'],
    ['istio.canonical_service', labels['service.istio.io/canonical-name'] ?? 'unknown'],
    ['istio.cluster_id', cluster],
    ['istio.mesh_id', typeof mesh === 'string' && mesh !== '' ? mesh : build.mesh.trustDomain || 'unknown'],
    ['istio.namespace', namespace],
  ]
  return tags.map(([tag, value]) => ({ tag, literal: { value } }))
}

/** A waypoint speaks for neither end, so it names both. */
const PEER_TAGS: readonly Tag[] = (['source', 'destination'] as const).flatMap((end) =>
  Object.entries({
    workload: 'workload',
    namespace: 'namespace',
    cluster_id: 'cluster',
    canonical_service: 'service',
    canonical_revision: 'revision',
    app: 'app',
    app_version: 'version',
    workload_type: 'type',
    instance_name: 'name',
  }).map(([tag, field]) => ({
    tag: `istio.${end}_${tag}`,
    value: `%FILTER_STATE(${end === 'source' ? 'downstream' : 'upstream'}_peer_obj:FIELD:${field})%`,
  })),
)
