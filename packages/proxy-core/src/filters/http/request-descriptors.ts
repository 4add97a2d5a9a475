import type { HttpStream } from '../../http/filter.js'
import type { HttpRequest } from '../../http/message.js'
import { type ActionContext, type Descriptor, describeRequest, type RateLimitRule } from '../../route/rate-limit.js'

/** Whose rate_limits make descriptors of a request. */
export interface DescriptorSources {
  readonly stage: number
  /** In place of those of the route; empty: the route's. */
  readonly rules: readonly RateLimitRule[]
  /** What becomes of the virtual host's when the route has none of its own, or has some. */
  readonly virtualHost: 'OVERRIDE' | 'INCLUDE' | 'IGNORE'
}

/** The descriptors of a request, of rate limits here or at a service alike; none where the route goes nowhere. */
export function requestDescriptors(
  { stage, rules, virtualHost }: DescriptorSources,
  request: HttpRequest,
  { route, info }: HttpStream,
  sourceCluster: string,
): readonly Descriptor[] {
  if (route === undefined || route.kind !== 'forward' || route.route.action.kind !== 'forward') return []
  const context: ActionContext = {
    request,
    remoteAddress: hostOf(info.downstreamRemote),
    sourceCluster,
    destinationCluster: route.target.cluster,
    dynamicMetadata: (namespace) => info.metadata.get(namespace),
    routeMetadata: (namespace) => route.route.metadata?.[namespace],
  }
  const of = (list: readonly RateLimitRule[]): readonly Descriptor[] => describeRequest(list, stage, context)
  if (rules.length > 0) return of(rules)
  const { rateLimits = [], includesVirtualHostRateLimits } = route.route.action
  const ofHost = route.virtualHost.rateLimits ?? []
  const mode = includesVirtualHostRateLimits === true ? 'INCLUDE' : virtualHost
  if (mode === 'INCLUDE') return [...of(rateLimits), ...of(ofHost)]
  return rateLimits.length > 0 || mode === 'IGNORE' ? of(rateLimits) : of(ofHost)
}

/** `127.0.0.1:80` and `[::1]:80` without their ports. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
