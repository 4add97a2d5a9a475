import type { Destination, HTTPRoute } from '@heddle/config-model'
import type { RouteAction_RequestMirrorPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import { ALWAYS, perMillion } from './percent.js'

/** Where copies of requests go: `mirror`, then `mirrors`. No percentage is 100, 0 is no mirror. */
export function mirrorPolicies(
  http: HTTPRoute,
  clusterOf: (destination: Destination) => string,
): RouteAction_RequestMirrorPolicy[] {
  const wanted = [
    ...(http.mirror === undefined ? [] : [{ destination: http.mirror, percentage: http.mirrorPercentage }]),
    ...(http.mirrors ?? []),
  ]
  return wanted
    .filter(({ percentage }) => percentage === undefined || percentage.value > 0)
    .map(({ destination, percentage }) => ({
      cluster: clusterOf(destination),
      runtime_fraction: { default_value: percentage === undefined ? ALWAYS : perMillion(percentage.value) },
      trace_sampled: false,
      disable_shadow_host_suffix_append: true,
    }))
}
