import type { LabelSelector, LabelSelectorRequirement } from '../kinds/common.js'

type Labels = Readonly<Record<string, string>>

/** Whether `labels` have all of `selector`; an empty selector selects everything. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  if (selector === undefined) return true
  for (const key of Object.keys(selector)) if (labels[key] !== selector[key]) return false
  return true
}

/** Whether `labels` fit a Kubernetes label selector (metav1.LabelSelector); an empty one takes everything. */
export function matchesSelector({ matchLabels, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return selects(matchLabels, labels) && matchExpressions.every((requirement) => meets(requirement, labels))
}

function meets({ key, operator, values = [] }: LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[key]
  if (operator === 'In') return value !== undefined && values.includes(value)
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  return operator === 'Exists' ? value !== undefined : value === undefined
}

/** Well-known labels and annotations, by what they say. */
export const LABELS = {
  tlsMode: 'security.istio.io/tlsMode',
  tunnel: 'networking.istio.io/tunnel',
  ambientRedirection: 'ambient.istio.io/redirection',
  managedGateway: 'gateway.istio.io/managed',
  network: 'topology.istio.io/network',
  cluster: 'topology.istio.io/cluster',
  locality: 'istio-locality',
  autoRegistrationGroup: 'istio.io/autoRegistrationGroup',
  region: 'topology.kubernetes.io/region',
  zone: 'topology.kubernetes.io/zone',
  subzone: 'topology.istio.io/subzone',
  oldRegion: 'failure-domain.beta.kubernetes.io/region',
  oldZone: 'failure-domain.beta.kubernetes.io/zone',
  sliceService: 'kubernetes.io/service-name',
  exportTo: 'networking.istio.io/exportTo',
  trafficDistribution: 'networking.istio.io/traffic-distribution',
  serviceAccounts: 'alpha.istio.io/kubernetes-serviceaccounts',
  canonicalServiceAccounts: 'alpha.istio.io/canonical-serviceaccounts',
} as const
