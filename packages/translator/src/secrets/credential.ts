/** A Secret that a resource asks the control plane for by its SDS name. */
export interface Credential {
  /** The SDS name, as the resource has it. */
  readonly resourceName: string
  readonly namespace: string
  readonly name: string
  /** Only the roots are wanted: the name ends in `-cacert`. */
  readonly rootOnly: boolean
}

/** Istio's suffix for the roots of a credential (`SdsCaSuffix`). */
export const CA_SUFFIX = '-cacert'

const OWN = 'kubernetes://'
/** Of names that stem from the Gateway API. */
export const GATEWAY_SCHEME = 'kubernetes-gateway://'

/**
 * `kubernetes://name` (of the proxy's namespace), `kubernetes://namespace/name` or `kubernetes-gateway://namespace/name`, the names that istiod
 * answers over SDS; undefined for any other.
 */
export function parseCredential(resourceName: string, proxyNamespace: string): Credential | undefined {
  const prefix = [OWN, GATEWAY_SCHEME].find((scheme) => resourceName.startsWith(scheme))
  if (prefix === undefined) return undefined
  const parts = resourceName.slice(prefix.length).split('/')
  if (parts.length > 2 || parts.includes('') || (parts.length === 1 && prefix === GATEWAY_SCHEME)) return undefined
  const [namespace, name] = parts.length === 2 ? (parts as [string, string]) : [proxyNamespace, parts[0] ?? '']
  return { resourceName, namespace, name, rootOnly: name.endsWith(CA_SUFFIX) }
}
