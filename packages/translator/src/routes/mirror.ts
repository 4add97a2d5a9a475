import type { Destination, HTTPRoute, Percent } from '@heddle/config-model'
import type { RouteAction_RequestMirrorPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import type { FractionalPercent } from '@heddle/xds-types/envoy/type/v3'
import type { Build } from '../build.js'
import { ALWAYS, perMillion, wholePercent } from './percent.js'

/** Where copies of requests go: `mirror`, then `mirrors`. No percentage is 100, 0 is no mirror. */
export function mirrorPolicies(
  { features }: Build,
  http: HTTPRoute,
  clusterOf: (destination: Destination) => string,
): RouteAction_RequestMirrorPolicy[] {
  const wanted = [
    ...(http.mirror === undefined
      ? []
      : [{ destination: http.mirror, share: shareOf(http.mirrorPercentage, http.mirrorPercent) }]),
    ...(http.mirrors ?? []).map(({ destination, percentage }) => ({ destination, share: shareOf(percentage) })),
  ]
  return wanted
    .flatMap(({ destination, share }) => (share === undefined ? [] : [{ destination, share }]))
    .map(({ destination, share }) => ({
      cluster: clusterOf(destination),
      runtime_fraction: { default_value: share },
      trace_sampled: false,
      ...(features.mirrorsKeepHost ? { disable_shadow_host_suffix_append: true } : {}),
    }))
}

function shareOf(percentage: Percent | undefined, whole?: number): FractionalPercent | undefined {
  if (percentage !== undefined) return percentage.value > 0 ? perMillion(percentage.value) : undefined
  if (whole === undefined) return ALWAYS
  return whole > 0 ? wholePercent(whole) : undefined
}
