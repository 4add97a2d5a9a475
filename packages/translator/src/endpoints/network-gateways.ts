import { clusterOf, type MeshNetworks, type MeshSnapshot, networksIn, type Service } from '@heddle/config-model'

/** An address that leads into a network. */
export interface NetworkGateway {
  readonly network: string
  /** '' when it is for all clusters of the network. */
  readonly cluster: string
  readonly address: string
  readonly port: number
}

export interface NetworkGateways {
  readonly all: readonly NetworkGateway[]
  /** Weights grow by it, so that they can be split among the gateways of any network. */
  readonly scale: number
  readonly byNetwork: ReadonlyMap<string, readonly NetworkGateway[]>
  /** By `network cluster`. */
  readonly byCluster: ReadonlyMap<string, readonly NetworkGateway[]>
}

const DEFAULT_PORT = 15443

/** Gateways between networks: those of MeshNetworks, and Services with label topology.istio.io/network and a load balancer. */
export function networkGateways(snapshot: MeshSnapshot, ownCluster: string): NetworkGateways {
  const services = snapshot.list('Service')
  const networks = networksIn(snapshot.get('ConfigMap', snapshot.meshConfig.rootNamespace, 'istio'))
  return gatewaysOf([...services.flatMap((s) => byLabel(s, ownCluster)), ...ofMeshNetworks(networks, services, ownCluster)])
}

/** The gateways of a network for a cluster, or all of the network where none is for the cluster. */
export function gatewaysInto(gateways: NetworkGateways, network: string, cluster: string): readonly NetworkGateway[] {
  return gateways.byCluster.get(`${network} ${cluster}`) ?? gateways.byNetwork.get(network) ?? []
}

function gatewaysOf(found: readonly NetworkGateway[]): NetworkGateways {
  const all = found.filter(({ address }) => isIp(address)).sort((a, b) => (order(a) < order(b) ? -1 : 1))
  const byNetwork = groups(all, (g) => g.network)
  const byCluster = groups(all, (g) => `${g.network} ${g.cluster}`)
  const counts = [...byNetwork.values(), ...byCluster.values()].map((list) => list.length)
  return { all, scale: counts.reduce((a, b) => (a * b) / greatestCommonDivisor(a, b), 1), byNetwork, byCluster }
}

function byLabel(service: Service, ownCluster: string): NetworkGateway[] {
  const { labels } = service.metadata
  const network = labels['topology.istio.io/network'] ?? ''
  if (network === '') return []
  const port = Number(labels['networking.istio.io/gatewayPort'] ?? DEFAULT_PORT)
  return balancers(service).map((address) => ({ network, cluster: clusterOf(service.metadata) ?? ownCluster, address, port }))
}

function ofMeshNetworks({ networks }: MeshNetworks, services: readonly Service[], ownCluster: string): NetworkGateway[] {
  return Object.entries(networks).flatMap(([network, { gateways = [] }]) =>
    gateways.flatMap(({ address = '', registryServiceName = '', port }) => {
      if (address !== '') return [{ network, cluster: '', address, port }]
      const named = services.filter(({ metadata: m }) => registryServiceName.startsWith(`${m.name}.${m.namespace}.`))
      return named.flatMap((s) =>
        balancers(s).map((ip) => ({ network, cluster: clusterOf(s.metadata) ?? ownCluster, address: ip, port })),
      )
    }),
  )
}

/** What the cloud says of the load balancer, and the external IPs. */
function balancers({ spec, status }: Service): string[] {
  const ingress = (status as { loadBalancer?: { ingress?: unknown } } | undefined)?.loadBalancer?.ingress
  const given = Array.isArray(ingress) ? ingress.map((i: { ip?: unknown }) => i?.ip) : []
  return [...given.filter((ip): ip is string => typeof ip === 'string'), ...(spec.externalIPs ?? [])]
}

function groups(list: readonly NetworkGateway[], keyOf: (one: NetworkGateway) => string): Map<string, NetworkGateway[]> {
  const found = new Map<string, NetworkGateway[]>()
  for (const one of list) {
    const group = found.get(keyOf(one))
    if (group === undefined) found.set(keyOf(one), [one])
    else group.push(one)
  }
  return found
}

function order({ address, port }: NetworkGateway): string {
  return `${address} ${port}`
}

function isIp(address: string): boolean {
  return /^[\d.]+$/.test(address) || address.includes(':')
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
