import type { MatchLabelsSelector, MeshService, PolicyTargetReference } from '@heddle/config-model'
import { ask, isIn, selectsProxy } from './ask.js'
import type { ProxyDescriptor } from './proxy.js'

/** What says for whom a policy is: `targetRefs` for Gateways, waypoints and services behind them, else a selector. */
export interface Attachable {
  readonly metadata: { readonly namespace: string }
  readonly spec: {
    readonly selector?: MatchLabelsSelector
    readonly targetRef?: PolicyTargetReference
    readonly targetRefs?: readonly PolicyTargetReference[]
  }
}

const WAYPOINT_CLASS = 'istio-waypoint'
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'

/**
 * Whether a policy is for a proxy, or, on a waypoint, for a service behind it. Selectors count in the proxy's namespace and the root namespace;
 * on waypoints they never do, or a policy for workloads would be enforced twice.
 */
export function isAttached(policy: Attachable, proxy: ProxyDescriptor, root: string, service?: MeshService): boolean {
  const { metadata, spec } = policy
  const refs = targetsOf(spec)
  if (refs.length === 0) {
    if (metadata.namespace !== root && !isIn(proxy, metadata.namespace)) return false
    return proxy.type !== 'waypoint' && selectsProxy(spec.selector?.matchLabels, proxy)
  }
  return refs.some((ref) => isTarget(ref, metadata.namespace, proxy, root, service))
}

export function targetsOf({ targetRef, targetRefs = [] }: Attachable['spec']): readonly PolicyTargetReference[] {
  return targetRef === undefined ? targetRefs : [targetRef]
}

function isTarget(
  { kind, name }: PolicyTargetReference,
  namespace: string,
  proxy: ProxyDescriptor,
  root: string,
  service: MeshService | undefined,
): boolean {
  switch (kind) {
    case 'Gateway':
      return isIn(proxy, namespace) && gatewayNameOf(proxy) === name
    case 'GatewayClass':
      return namespace === root && proxy.type === 'waypoint' && name === WAYPOINT_CLASS
    case 'Service':
      return service?.registry === 'Kubernetes' && service.namespace === namespace && service.name === name
    case 'ServiceEntry':
      return service?.registry === 'External' && service.namespace === namespace && service.source.endsWith(`/${name}`)
    default:
      return false
  }
}

/** The Gateway of the Gateway API that a proxy runs. */
export function gatewayNameOf(proxy: ProxyDescriptor): string | undefined {
  return ask(proxy, 'gateway name', ({ labels }) => labels[GATEWAY_NAME])
}
