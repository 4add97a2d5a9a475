import type { Node } from '@heddle/xds-types/envoy/config/core/v3'

/** The client as it introduces itself in the first request of a stream (`envoy.config.core.v3.Node`), with an id that is not empty. */
export type NodeInfo = Node & { readonly id: string }

/** Whether the client understands resources that expire: in SotW it must also know the `Resource` that carries the TTL (xds-protocol 60, 61). */
export function knowsTtl({ client_features: features = [] }: NodeInfo, variant: 'sotw' | 'delta'): boolean {
  if (!features.includes('xds.config.supports-resource-ttl')) return false
  return variant === 'delta' || features.includes('xds.config.resource-in-sotw')
}
