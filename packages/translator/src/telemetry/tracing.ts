import type { MeshCustomTag } from '@heddle/config-model'
import type { HttpConnectionManager_Tracing } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'

const ALL = { value: 100 }
const DEFAULT_SAMPLING_PERCENT = 1

/** Spans: which requests, and the tags of every span. Without a provider it decides only what x-request-id says. */
export function tracing(build: Build): HttpConnectionManager_Tracing | undefined {
  if (!build.mesh.enableTracing) return undefined
  const {
    sampling = DEFAULT_SAMPLING_PERCENT,
    customTags = {},
    maxPathTagLength = 0,
    enableIstioTags,
  } = build.proxyConfig.tracing ?? {}
  const own = Object.entries(customTags).flatMap(([tag, given]) => customTag(tag, given) ?? [])
  const tags = [...own, ...(enableIstioTags === false ? [] : [...DRY_RUN_TAGS, ...workloadTags(build)])]
  return {
    client_sampling: ALL,
    overall_sampling: ALL,
    random_sampling: sampling === 0 ? {} : { value: sampling },
    ...(maxPathTagLength === 0 ? {} : { max_path_tag_length: maxPathTagLength }),
    ...(tags.length === 0 ? {} : { custom_tags: tags.sort((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1)) }),
  }
}

/** ProxyConfig.tracing.customTags: a text, an environment variable of the proxy, or a header of the request. */
function customTag(tag: string, { literal, environment, header }: MeshCustomTag): Tag | undefined {
  const named = ({
    name,
    defaultValue = '',
  }: {
    name: string
    defaultValue?: string
  }): { name: string; default_value?: string } => (defaultValue === '' ? { name } : { name, default_value: defaultValue })
  if (literal !== undefined) return { tag, literal }
  if (environment !== undefined) return { tag, environment: named(environment) }
  return header === undefined ? undefined : { tag, request_header: named(header) }
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
