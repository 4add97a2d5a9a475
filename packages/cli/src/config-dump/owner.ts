import type { Metadata } from '@heddle/xds-types/envoy/config/core/v3'

/** `name.namespace` of the Istio object that `filter_metadata.istio.config` names; '' without one. */
export function describeOwner(metadata: Metadata | undefined): string {
  const istio = metadata?.filter_metadata?.['istio'] as { config?: unknown } | undefined
  const parts = typeof istio?.config === 'string' ? istio.config.split('/') : []
  // /apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews
  const at = parts.indexOf('namespaces')
  const [namespace, name] = [parts[at + 1], parts[at + 3]]
  return at < 0 || namespace === undefined || name === undefined ? '' : `${name}.${namespace}`
}
