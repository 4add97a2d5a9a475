import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { RouteAction, WeightedCluster_ClusterWeight } from '@heddle/xds-types/envoy/config/route/v3'
import type { UriTemplateRewriteConfig } from '@heddle/xds-types/envoy/extensions/path/rewrite/uri_template/v3'
import { asciiLower } from '../matcher/ascii.js'
import { headerValues } from '../matcher/header.js'
import { compileUriRewrite, type UriTemplate } from '../matcher/uri-template.js'
import { compileTextFormat, type LogFormatter } from '../observe/log-format.js'
import { createRequestHash } from '../route/hash-policy.js'
import type { InternalRedirectPolicy } from '../route/internal-redirect.js'
import { pathOnly } from '../route/match.js'
import { type HostRewrite, type PathRewrite, prefixRewrite, regexRewrite, rewriteHost, rewritePath } from '../route/rewrite.js'
import type { ForwardAction, Mirror, RequestHead, RetryPolicy, RouteTarget } from '../route/table.js'
import { chooseWeighted, type WeightedTarget } from '../route/weighted.js'
import type { Runtime } from '../runtime.js'
import type { CompileDeps } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileHashPolicy } from './hash-policy.js'
import { compileHeaderLists } from './header-options.js'
import { compileInternalRedirect } from './internal-redirect.js'
import { MOST_WEIGHT } from './load-assignment.js'
import { compileMetadata } from './metadata.js'
import { compileMirror } from './mirror.js'
import { compilePerFilterConfig } from './per-filter-config.js'
import { compileRateLimits } from './rate-limit-actions.js'
import { compileRetryPolicy } from './retry-policy.js'
import type { RouteClusters } from './route-clusters.js'
import { compileSubstitution } from './substitution.js'

/** What a route takes over from the levels above it. */
export interface RouteScope {
  readonly deps: CompileDeps
  readonly clusters: RouteClusters
  readonly retry: RetryPolicy | undefined
  readonly mirrors: readonly Mirror[]
  readonly matchedLength: number | undefined
  readonly template: UriTemplate | undefined
}

/** Envoy's route timeout where none is given. */
const DEFAULT_TIMEOUT_MS = 15_000
const NOT_FOUND_STATUS = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const

export function compileForward(fields: Fields<RouteAction>, scope: RouteScope): ForwardAction {
  const mirrors = fields
    .messages('request_mirror_policies')
    .map((each) => compileMirror(each, scope.clusters, scope.deps.runtime))
  const hashPolicies = fields.messages('hash_policy').flatMap((each) => compileHashPolicy(each) ?? [])
  const hash = createRequestHash(hashPolicies, scope.deps.hash64)
  const retry = compileRetryPolicy(fields.message('retry_policy')) ?? scope.retry
  const notFound = fields.choice(
    'cluster_not_found_response_code',
    ['SERVICE_UNAVAILABLE', 'NOT_FOUND', 'INTERNAL_SERVER_ERROR'],
    'SERVICE_UNAVAILABLE',
  )
  const internalRedirect = compileRedirects(fields)
  const rateLimits = compileRateLimits(fields.messages('rate_limits'))
  const action: ForwardAction = {
    kind: 'forward',
    ...compileTarget(fields, scope, hash),
    priority: fields.choice('priority', ['DEFAULT', 'HIGH'], 'DEFAULT'),
    timeoutMs: compileTimeout(fields),
    ...(fields.has('idle_timeout') && { idleTimeoutMs: fields.durationMs('idle_timeout', 0) }),
    ...(retry && { retry }),
    rewrite: compileRewrite(fields, scope),
    hash,
    ...(internalRedirect && { internalRedirect }),
    ...(rateLimits.length > 0 && { rateLimits }),
    ...(fields.boolean('include_vh_rate_limits') && { includesVirtualHostRateLimits: true }),
    mirrors: mirrors.length > 0 ? mirrors : scope.mirrors,
    ...compileUpgrades(fields),
    clusterNotFoundStatus: NOT_FOUND_STATUS[notFound],
    ...compileStreamDuration(fields),
    autoHostRewrite: fields.boolean('auto_host_rewrite'),
    appendForwardedHost: fields.boolean('append_x_forwarded_host'),
  }
  fields.done({ early_data_policy: 'no early data is accepted' })
  return action
}

/** internal_redirect_policy, or the older pair of fields. */
function compileRedirects(fields: Fields<RouteAction>): InternalRedirectPolicy | undefined {
  const kinds = ['PASS_THROUGH_INTERNAL_REDIRECT', 'HANDLE_INTERNAL_REDIRECT'] as const
  const older = fields.choice('internal_redirect_action', kinds, 'PASS_THROUGH_INTERNAL_REDIRECT')
  const most = fields.number('max_internal_redirects', 1)
  const policy = compileInternalRedirect(fields.message('internal_redirect_policy'))
  if (policy !== undefined || older === 'PASS_THROUGH_INTERNAL_REDIRECT') return policy
  const plain = { statuses: new Set([302]), allowCrossScheme: false, safeCrossScheme: false, notTwice: false, copyHeaders: [] }
  return { max: most, ...plain }
}

/** Envoy's usingNewTimeouts: a route with max_stream_duration has no timeout of the older kind. */
function compileTimeout(fields: Fields<RouteAction>): number {
  const timeoutMs = fields.durationMs('timeout', DEFAULT_TIMEOUT_MS)
  return fields.has('max_stream_duration') ? 0 : timeoutMs
}

type Durations = Pick<ForwardAction, 'maxStreamDurationMs' | 'grpcTimeout' | 'grpcTimeoutHeaderMax'>

function compileStreamDuration(fields: Fields<RouteAction>): Durations {
  const duration = fields.message('max_stream_duration')
  const grpcTimeoutHeaderMax = duration?.has('grpc_timeout_header_max') && {
    maxMs: duration.durationMs('grpc_timeout_header_max', 0),
    offsetMs: duration.durationMs('grpc_timeout_header_offset', 0),
  }
  const grpcTimeout = duration === undefined &&
    fields.has('max_grpc_timeout') && {
      maxMs: fields.durationMs('max_grpc_timeout', 0),
      offsetMs: fields.durationMs('grpc_timeout_offset', 0),
    }
  const out = {
    ...(duration?.has('max_stream_duration') && { maxStreamDurationMs: duration.durationMs('max_stream_duration', 0) }),
    ...(grpcTimeout && { grpcTimeout }),
    ...(grpcTimeoutHeaderMax && { grpcTimeoutHeaderMax }),
  }
  duration?.done({ grpc_timeout_header_offset: 'means nothing without grpc_timeout_header_max' })
  if (fields.has('grpc_timeout_offset')) fields.durationMs('grpc_timeout_offset', 0)
  if (fields.has('max_grpc_timeout')) fields.durationMs('max_grpc_timeout', 0)
  return out
}

function compileTarget(
  fields: Fields<RouteAction>,
  scope: RouteScope,
  hash: ForwardAction['hash'],
): Pick<ForwardAction, 'target' | 'weights'> {
  const metadataMatch = compileMetadata(fields.message('metadata_match'))['envoy.lb']
  if (fields.has('cluster')) {
    const target: RouteTarget = { cluster: fields.string('cluster'), ...(metadataMatch && { metadataMatch }) }
    scope.clusters.add(target.cluster, fields, 'cluster')
    return { target: () => target }
  }
  if (fields.has('cluster_header'))
    return { target: byHeader(fields.string('cluster_header'), { ...(metadataMatch && { metadataMatch }) }) }
  const weighted = fields.message('weighted_clusters')
  if (weighted === undefined) {
    fields.problem('needs one of cluster, weighted_clusters, cluster_header.')
    return { target: () => ({ cluster: '' }) }
  }
  const configured = weighted.messages('clusters').map((each) => compileWeight(each, scope, metadataMatch))
  const runtimePrefix = weighted.string('runtime_key_prefix')
  const headerName = weighted.string('header_name')
  const byHash = weighted.boolean('use_hash_policy')
  weighted.done({ total_weight: 'the sum of the weights counts' })
  const sum = configured.reduce((total, { weight }) => total + weight, 0)
  if (sum > MOST_WEIGHT) weighted.problem(`weigh ${sum} together, ${MOST_WEIGHT} at most.`, 'clusters')
  if (sum <= 0) {
    weighted.problem('needs a weight above 0.', 'clusters')
    return { target: () => ({ cluster: '' }) }
  }
  const runtime = runtimePrefix === '' ? undefined : scope.deps.runtime
  const weights = runtime === undefined ? configured : configured.map((each) => weighedBy(runtime, runtimePrefix, each))
  const target = chooseWeighted(weights, {
    headerName: asciiLower(headerName),
    hashOf: byHash ? (head) => hash(head, '') : undefined,
    changing: runtime !== undefined,
  })
  return { target, weights }
}

/** runtime_key_prefix: the weight is what the runtime has under `<prefix>.<cluster>`, when it is asked for. */
function weighedBy(runtime: Runtime, prefix: string, { cluster, weight, target }: WeightedTarget): WeightedTarget {
  const key = `${prefix}.${cluster}`
  return {
    cluster,
    target,
    get weight() {
      return Math.max(0, Math.trunc(runtime.number(key) ?? weight))
    },
  }
}

function compileWeight(
  fields: Fields<WeightedCluster_ClusterWeight>,
  { deps, clusters }: RouteScope,
  inherited: Readonly<Record<string, unknown>> | undefined,
): WeightedTarget {
  const own = compileMetadata(fields.message('metadata_match'))['envoy.lb']
  const perFilterConfig = compilePerFilterConfig(fields, deps)
  const rest = {
    ...compileHeaderLists(fields),
    ...(perFilterConfig.size > 0 && { perFilterConfig }),
    ...((own || inherited) && { metadataMatch: { ...inherited, ...own } }),
    ...(fields.string('host_rewrite_literal') !== '' && { hostRewrite: fields.string('host_rewrite_literal') }),
  }
  const weight = fields.number('weight')
  const target: RouteTarget = { cluster: fields.string('name'), ...rest }
  const headerName = fields.string('cluster_header')
  fields.done()
  if ((target.cluster === '') === (headerName === '')) fields.problem('needs one of name, cluster_header.')
  if (headerName !== '') return { weight, cluster: `by header ${headerName}`, target: byHeader(headerName, rest) }
  clusters.add(target.cluster, fields, 'name')
  return { weight, cluster: target.cluster, target: () => target }
}

// An absent header names no cluster: the router answers 503 cluster_not_found.
function byHeader(name: string, rest: Omit<RouteTarget, 'cluster'>): (head: RequestHead) => RouteTarget {
  const lower = asciiLower(name)
  return (head) => ({ cluster: headerValues(head, lower)[0] ?? '', ...rest })
}

function compileRewrite(fields: Fields<RouteAction>, scope: RouteScope): ForwardAction['rewrite'] {
  const path = compilePathRewrite(fields, scope)
  const host = compileHostRewrite(fields)
  const appendForwardedHost = fields.boolean('append_x_forwarded_host')
  return (request, target, entry) => {
    // A weighted cluster's host goes first and leaves no trace; the route's own rewrite has the last word.
    if (target.hostRewrite !== undefined) request.authority = target.hostRewrite
    const newHost = host?.(request, entry)
    if (newHost !== undefined && newHost !== '') rewriteHost(request, newHost, appendForwardedHost)
    if (path !== undefined) rewritePath(request, path, entry)
  }
}

function compilePathRewrite(fields: Fields<RouteAction>, { matchedLength, template }: RouteScope): PathRewrite | undefined {
  const regex = compileSubstitution(fields.message('regex_rewrite'))
  if (regex !== undefined) return regexRewrite(regex)
  const policy = fields.message('path_rewrite_policy')
  if (policy !== undefined) return compileTemplateRewrite(policy, template)
  const format = compileFormat(fields as Fields<NewerRewrites>, 'path_rewrite', true)
  if (format !== undefined) {
    return (path, entry) => {
      const made = entry === undefined ? '' : format(entry)
      return made === '' ? undefined : made + path.slice(pathOnly(path).length)
    }
  }
  const prefix = fields.string('prefix_rewrite')
  return prefix === '' ? undefined : prefixRewrite(prefix, matchedLength)
}

/** Fields of Envoy 1.36 and later: the whole path or host as a format. */
interface NewerRewrites {
  path_rewrite?: string | undefined
  host_rewrite?: string | undefined
}

function compileFormat(
  fields: Fields<NewerRewrites>,
  name: keyof NewerRewrites,
  omitEmptyValues: boolean,
): LogFormatter | undefined {
  if (!fields.has(name)) return undefined
  return fields.take(compileTextFormat(fields.string(name), `${fields.path}.${name}`, { omitEmptyValues }))
}

const TEMPLATE_REWRITE = 'envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig'

function compileTemplateRewrite(
  fields: Fields<TypedExtensionConfig>,
  template: UriTemplate | undefined,
): PathRewrite | undefined {
  const config = fields.any('typed_config')
  fields.done({ name: 'the type decides' })
  if (config?.typeName !== TEMPLATE_REWRITE || template === undefined) {
    fields.problem('only uri_template is supported, and only beside a path_match_policy of the same kind.', 'typed_config')
    return undefined
  }
  const inner = fieldsOf<UriTemplateRewriteConfig>(config, fields as Fields<never>)
  const substitution = inner.take(
    compileUriRewrite(template, inner.string('path_template_rewrite'), `${inner.path}.path_template_rewrite`),
  )
  inner.done()
  return substitution === undefined ? undefined : regexRewrite({ regex: template.regex, substitution })
}

function compileHostRewrite(fields: Fields<RouteAction>): HostRewrite | undefined {
  if (fields.has('host_rewrite_literal')) {
    const host = fields.string('host_rewrite_literal')
    return () => host
  }
  const format = compileFormat(fields as Fields<NewerRewrites>, 'host_rewrite', false)
  if (format !== undefined) return (_request, entry) => format(entry)
  if (fields.has('host_rewrite_header')) {
    const name = asciiLower(fields.string('host_rewrite_header'))
    return (request) => request.headers.get(name)
  }
  const regex = compileSubstitution(fields.message('host_rewrite_path_regex'))
  return regex && ((request) => regex.regex.replaceAll(pathOnly(request.path), regex.substitution))
}

function compileUpgrades(fields: Fields<RouteAction>): Pick<ForwardAction, 'upgrades' | 'terminatesConnect'> {
  const upgrades = new Map<string, boolean>()
  let terminatesConnect = false
  for (const config of fields.messages('upgrade_configs')) {
    const type = asciiLower(config.string('upgrade_type'))
    if (upgrades.has(type)) config.problem(`${type} is there twice.`, 'upgrade_type')
    upgrades.set(type, config.boolean('enabled', true))
    const connect = config.message('connect_config')
    if (connect !== undefined && type !== 'connect') config.problem('is for CONNECT only.', 'connect_config')
    if (connect !== undefined) terminatesConnect = true
    connect?.done()
    config.done()
  }
  return { upgrades, terminatesConnect }
}
