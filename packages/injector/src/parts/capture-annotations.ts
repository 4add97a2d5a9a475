import type { TemplateContext } from '../templates/context.js'
import { excludedInboundPorts } from './init-container.js'
import { interceptionMode } from './proxy-container.js'

const NETWORKS = 'k8s.v1.cni.cncf.io/networks'
const CNI_NETWORK = 'default/istio-cni'

/** With CNI the rules are made outside the pod, from its annotations. */
export function captureAnnotations(context: TemplateContext): Record<string, string> {
  const { metadata, values } = context
  const { cni } = values.pilot
  if (!cni.enabled) return {}
  const { proxy } = values.global
  const own = (name: string): string | undefined => metadata.annotations?.[name]
  const traffic = (name: string, otherwise: string): Record<string, string> => {
    const value = own(`traffic.sidecar.istio.io/${name}`) ?? otherwise
    return value === '' ? {} : { [`traffic.sidecar.istio.io/${name}`]: value }
  }
  return {
    ...(cni.provider === 'multus' && { [NETWORKS]: withCniNetwork(own(NETWORKS) ?? '') }),
    'sidecar.istio.io/interceptionMode': interceptionMode(context),
    ...traffic('includeOutboundIPRanges', proxy.includeIPRanges),
    ...traffic('excludeOutboundIPRanges', proxy.excludeIPRanges),
    ...traffic('includeInboundPorts', proxy.includeInboundPorts),
    'traffic.sidecar.istio.io/excludeInboundPorts': excludedInboundPorts(context),
    ...traffic('includeOutboundPorts', proxy.includeOutboundPorts),
    ...traffic('excludeOutboundPorts', proxy.excludeOutboundPorts),
  }
}

/** Multus' list of networks, which is names with commas or JSON, with Istio's in it. */
function withCniNetwork(networks: string): string {
  if (networks === '') return CNI_NETWORK
  const end = networks.lastIndexOf(']')
  if (end < 0) return networks.split(',').some((name) => name.trim() === CNI_NETWORK) ? networks : `${networks}, ${CNI_NETWORK}`
  let list: unknown
  try {
    list = JSON.parse(networks)
  } catch {
    return networks
  }
  if (!Array.isArray(list) || list.some((network) => (network as { name?: unknown } | null)?.name === CNI_NETWORK))
    return networks
  return `${networks.slice(0, end)}, {"name": "${CNI_NETWORK}"}${networks.slice(end)}`
}
