import type { KubernetesGateway } from '@heddle/config-model'
import type { InjectionValues } from '../values.js'

type Texts = Readonly<Record<string, string>>

/** Labels and annotations of everything that is deployed for a Gateway. */
export interface Infrastructure {
  readonly labels: Texts
  readonly annotations: Texts
}

export const NETWORK = 'topology.istio.io/network'
const DATAPLANE_MODE = 'istio.io/dataplane-mode'

/** They say how a Gateway is deployed, and nothing to what is. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'gateway.istio.io/name-override',
  'gateway.istio.io/service-account',
  'gateway.istio.io/controller-version',
])

/** Those of `spec.infrastructure`, or the Gateway's own. */
export function infrastructureOf({ metadata, spec }: KubernetesGateway, values: InjectionValues): Infrastructure {
  const labels: Record<string, string> = { ...chosen(spec.infrastructure?.labels, metadata.labels) }
  const annotations = chosen(spec.infrastructure?.annotations, metadata.annotations)
  const inside = /waypoint|east-west/.test(spec.gatewayClassName)
  // What is in the mesh by itself is not captured for it.
  if (!inside && metadata.labels[DATAPLANE_MODE] === undefined) labels[DATAPLANE_MODE] ??= 'none'
  const { network } = values.global
  if (inside && network !== '' && metadata.labels[NETWORK] === undefined) labels[NETWORK] = network
  return { labels, annotations: Object.fromEntries(Object.entries(annotations).filter(([name]) => !OWN_ANNOTATIONS.has(name))) }
}

function chosen(infrastructure: Texts | undefined, own: Texts): Texts {
  if (infrastructure === undefined) return own
  return Object.fromEntries(Object.entries(infrastructure).filter(([name]) => !name.startsWith('gateway.networking.k8s.io/')))
}
