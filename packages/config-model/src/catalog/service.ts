import type { ResourceKey } from '../resource.js'

/** Protocols of a port, by Istio's names. */
export type PortProtocol =
  | 'HTTP'
  | 'HTTP2'
  | 'HTTP_PROXY'
  | 'GRPC'
  | 'GRPC-Web'
  | 'HTTPS'
  | 'TLS'
  | 'TCP'
  | 'MONGO'
  | 'REDIS'
  | 'MYSQL'
  | 'UDP'
  | 'HBONE'
  | 'DOUBLE_HBONE'
  | 'Unsupported'

export interface ServicePort {
  readonly name: string
  readonly number: number
  readonly protocol: PortProtocol
  /** Kubernetes targetPort or ServiceEntry targetPort; a name for named ones. */
  readonly targetPort: number | string
}

/** How endpoints of a service are found. Istio's Resolution. */
export type Resolution = 'ClientSideLB' | 'DNSLB' | 'DNSRoundRobinLB' | 'Passthrough' | 'DynamicDNS' | 'Alias'

/** A service of any registry, in the common model. Immutable. */
export interface MeshService {
  /** Lower case FQDN. The key of the service collection is `namespace/hostname`. */
  readonly hostname: string
  readonly name: string
  readonly namespace: string
  readonly registry: 'Kubernetes' | 'External'
  /** VIPs; empty or ['0.0.0.0'] semantics are the translator's: here only what the object says. */
  readonly addresses: readonly string[]
  /** Its addresses were made up, not written: only proxies that answer DNS themselves call them. */
  readonly allocated?: true
  /** VIPs by cluster, where several clusters have the service or another one than the own; a proxy calls those of its cluster, or `addresses`. */
  readonly addressesIn?: Readonly<Record<string, readonly string[]>>
  readonly ports: readonly ServicePort[]
  readonly resolution: Resolution
  readonly meshExternal: boolean
  /** As written; empty: MeshConfig.defaultServiceExportTo. */
  readonly exportTo: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Of the Kubernetes Service or of workloadSelector; undefined: none. */
  readonly selector?: Readonly<Record<string, string>>
  /** Kubernetes ExternalName. */
  readonly externalName?: string
  readonly subjectAltNames: readonly string[]
  /** Of a Kubernetes Service: which endpoints clients should prefer. */
  readonly trafficDistribution?: 'PreferSameZone' | 'PreferSameNode'
  /** Kubernetes internalTrafficPolicy Local: clients call endpoints of their own node only. */
  readonly nodeLocal?: true
  /** Headless Kubernetes services. */
  readonly headless: boolean
  /** RFC 3339 or ''. */
  readonly createdAt: string
  readonly source: ResourceKey
}

/** One address behind one port of a service. */
export interface ServiceEndpoint {
  readonly address: string
  /** All addresses of a pod that has several, the first first: one for each family. */
  readonly podAddresses?: readonly string[]
  readonly port: number
  /** Name of the service port it belongs to. */
  readonly portName: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
  /** '' for an address that no workload is known to have. */
  readonly namespace: string
  /** Of the pod's Deployment, of the WorkloadEntry, `<ServiceEntry>-<index>` for an inline endpoint, or the ServiceEntry's name where its host is the endpoint. */
  readonly workloadName: string
  /** `istio`: it takes mTLS; `disabled`: it does not. From label security.istio.io/tlsMode, or `istio` for a WorkloadEntry with a service account. */
  readonly tlsMode: 'istio' | 'disabled'
  /** It takes connections inside HTTP CONNECT (HBONE): a workload of ambient mode, a waypoint, or one whose label networking.istio.io/tunnel says so. */
  readonly hbone?: true
  readonly network: string
  readonly cluster: string
  /** `region/zone/subzone`, parts may be missing. */
  readonly locality: string
  /** Of the pod. */
  readonly nodeName?: string
  readonly weight: number
  readonly health: 'HEALTHY' | 'UNHEALTHY' | 'DRAINING'
  /** Kubernetes says so; a ServiceEntry or WorkloadEntry says nothing, and no health status is written. */
  readonly healthKnown: boolean
  readonly source: ResourceKey
}
