import type { HttpConnectionManager_Tracing } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'

const ALL = { value: 100 }
const DEFAULT_SAMPLING_PERCENT = 1

/** Spans: which requests, and the tags of every span. Without a provider it decides only what x-request-id says. */
export function tracing(build: Build): HttpConnectionManager_Tracing | undefined {
  if (!build.mesh.enableTracing) return undefined
  const sampling = build.proxyConfig.tracing?.sampling ?? DEFAULT_SAMPLING_PERCENT
  return {
    client_sampling: ALL,
    overall_sampling: ALL,
    random_sampling: sampling === 0 ? {} : { value: sampling },
    custom_tags: [...DRY_RUN_TAGS, ...workloadTags(build)],
  }
}

type Tag = NonNullable<HttpConnectionManager_Tracing['custom_tags']>[number]

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
