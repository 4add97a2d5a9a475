import { type KubernetesGateway, type KubernetesGatewaySpec, type ListenerSet, matchesSelector } from '@heddle/config-model'
import type { KubernetesObject } from '../kubernetes.js'

type Listener = KubernetesGatewaySpec['listeners'][number]

export interface ServicePort {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP'
  readonly appProtocol: string
}

const STATUS_PORT: ServicePort = { name: 'status-port', port: 15_021, protocol: 'TCP', appProtocol: 'tcp' }

/** Ports of the Service: readiness, and one for each port that a Gateway, or a ListenerSet that it allows, listens on. */
export function servicePorts(
  gateway: KubernetesGateway,
  sets: readonly ListenerSet[],
  among: readonly KubernetesObject[],
): ServicePort[] {
  const hidden = gateway.metadata.annotations['networking.istio.io/service-expose-status-port'] === 'false'
  const attached = sets
    .filter((set) => isParent(gateway, set) && isAllowed(gateway, set, among))
    .flatMap(({ spec }) => spec.listeners)
  const found = new Map<number, ServicePort>()
  for (const [i, listener] of [...gateway.spec.listeners, ...attached].entries()) {
    const port = listener.port ?? 0
    if (port !== 0 && !found.has(port)) found.set(port, portOf(listener, port, i))
  }
  return [...(hidden ? [] : [STATUS_PORT]), ...found.values()]
}

/** Names of listeners may have dots and 253 letters, those of ports none and 63. */
function portOf({ name, protocol }: Listener, port: number, i: number): ServicePort {
  const appProtocol = protocol.toLowerCase()
  const short = name.replaceAll('.', '-').slice(0, 63)
  return { name: short === '' ? `${appProtocol}-${i}` : short, port, protocol: 'TCP', appProtocol }
}

function isParent({ metadata }: KubernetesGateway, set: ListenerSet): boolean {
  const { name, namespace = set.metadata.namespace } = set.spec.parentRef
  return name === metadata.name && namespace === metadata.namespace
}

function isAllowed({ metadata, spec }: KubernetesGateway, set: ListenerSet, among: readonly KubernetesObject[]): boolean {
  const { from, selector } = spec.allowedListeners?.namespaces ?? {}
  if (from === 'All') return true
  if (from === 'Same') return set.metadata.namespace === metadata.namespace
  if (from !== 'Selector') return false
  const namespace = among.find((one) => one.kind === 'Namespace' && one.metadata?.name === set.metadata.namespace)
  return matchesSelector(selector ?? {}, namespace?.metadata?.labels ?? {})
}
