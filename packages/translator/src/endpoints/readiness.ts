import type { MeshService } from '@heddle/config-model'
import type { ClusterTarget } from '../clusters/target.js'
import type { PilotFeatures } from '../pilot-features.js'

/**
 * Whether proxies hear of endpoints that are not ready. They do, with their health, so that Envoy knows how much of a destination is left; its panic threshold,
 * by which it would call them, is off then. Where a DestinationRule sets that threshold (minHealthPercent), they are left out instead.
 */
export function takesUnready({ build, service, policy }: ClusterTarget): boolean {
  if (alwaysSendsUnready(build.features, service)) return true
  return sendsUnready(build.features, service) && !((policy?.outlierDetection?.minHealthPercent ?? 0) > 0)
}

/** Preferring what is near asks for all: who is nearest must be known even where nobody there is ready. */
export function alwaysSendsUnready({ unreadyEndpoints }: PilotFeatures, { trafficDistribution }: MeshService): boolean {
  return unreadyEndpoints === 'always' || trafficDistribution !== undefined
}

export function sendsUnready(features: PilotFeatures, service: MeshService): boolean {
  return features.unreadyEndpoints !== 'never' || alwaysSendsUnready(features, service)
}
