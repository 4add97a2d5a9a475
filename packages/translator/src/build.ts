import {
  type MeshConfig,
  type MeshProxyConfig,
  type MeshService,
  type MeshSnapshot,
  readMeshConfig,
  type ServiceEndpoint,
  type ServicePort,
} from '@heddle/config-model'
import { ask } from './ask.js'
import { type DestinationRules, destinationRules } from './destination-rules.js'
import type { Memo } from './memo.js'
import type { PilotFeatures } from './pilot-features.js'
import { type Origins, type Provenance, sourceOfKey } from './provenance.js'
import type { ProxyDescriptor } from './proxy.js'
import { type PeerPolicies, peerPolicies } from './security/mtls-mode.js'
import { type View, type ViewScope, viewOf } from './view.js'

/** Where the keys of a JWT issuer are. */
export interface JwksSource {
  /** '': by OIDC discovery from the issuer. */
  readonly jwksUri: string
  readonly issuer: string
}

/**
 * What every builder reads: the mesh, the proxy, and what the proxy sees of the mesh. Nothing in it changes during a translation. An incremental translator
 * hears what is read, so nothing that comes out of it may be kept but in a memo.
 */
export interface Build {
  readonly snapshot: MeshSnapshot
  readonly mesh: MeshConfig
  /** ProxyConfig of this proxy: the mesh's default, over it what the node says. */
  readonly proxyConfig: MeshProxyConfig
  readonly proxy: ProxyDescriptor
  readonly view: View
  readonly rules: DestinationRules
  readonly peers: PeerPolicies
  readonly origins: Origins
  /** What is built for this proxy and those like it. */
  readonly memo: Memo
  /** What is found out about the proxy: it holds for every translation of it. */
  readonly found: Memo
  /** What is found in the mesh, whoever looks. */
  readonly common: Memo
  /** Keys of an issuer that the policy does not give itself; undefined while nobody knows them. */
  readonly jwks: (source: JwksSource) => string | undefined
  /** Of Kubernetes hostnames: what a short name ends in. */
  readonly domainSuffix: string
  readonly features: PilotFeatures
  /** The types of resource that are asked for; undefined: all. */
  readonly types: ReadonlySet<string> | undefined
}

/** What proxies see alike: services, VirtualServices, DestinationRules. */
export interface Sight {
  readonly view: View
  readonly rules: DestinationRules
}

export function sightOf(scope: ViewScope): Sight {
  return { view: viewOf(scope), rules: destinationRules(scope) }
}

export type BuildScope = Pick<
  Build,
  'snapshot' | 'proxy' | 'origins' | 'memo' | 'found' | 'common' | 'jwks' | 'domainSuffix' | 'features' | 'types'
>

/** `sight` is looked up at each use: an incremental translator hears of it. */
export function createBuild(scope: BuildScope, sight: () => Sight): Build {
  return new SeenBuild(scope, sight)
}

/** A class, for V8 keeps the getters of an object literal, and with them all that was built, until the old generation is collected. */
class SeenBuild implements Build {
  readonly snapshot: MeshSnapshot
  readonly proxy: ProxyDescriptor
  readonly origins: Origins
  readonly memo: Memo
  readonly found: Memo
  readonly common: Memo
  readonly jwks: Build['jwks']
  readonly domainSuffix: string
  readonly features: PilotFeatures
  readonly types: ReadonlySet<string> | undefined
  readonly peers: PeerPolicies
  readonly #sight: () => Sight

  constructor(scope: BuildScope, sight: () => Sight) {
    this.snapshot = scope.snapshot
    this.proxy = scope.proxy
    this.origins = scope.origins
    this.memo = scope.memo
    this.found = scope.found
    this.common = scope.common
    this.jwks = scope.jwks
    this.domainSuffix = scope.domainSuffix
    this.features = scope.features
    this.types = scope.types
    this.peers = peerPolicies(scope.snapshot, scope.common)
    this.#sight = sight
  }

  get mesh(): MeshConfig {
    return this.snapshot.meshConfig
  }

  get proxyConfig(): MeshProxyConfig {
    return this.found.of('proxy config', [], () => proxyConfigOf(this.snapshot, this.proxy))
  }

  get view(): View {
    return this.#sight().view
  }

  get rules(): DestinationRules {
    return this.#sight().rules
  }
}

/** The node carries what the injector merged (PROXY_CONFIG), or at least its annotation; else the mesh's defaults hold. */
function proxyConfigOf({ meshConfig }: MeshSnapshot, proxy: ProxyDescriptor): MeshProxyConfig {
  const text = ask(proxy, 'proxy config', ({ metadata }) => {
    const { PROXY_CONFIG: own, ANNOTATIONS: annotations } = metadata
    return isRecord(own) ? JSON.stringify(own) : isRecord(annotations) ? annotations['proxy.istio.io/config'] : undefined
  })
  if (typeof text !== 'string' || text === '') return meshConfig.defaultConfig
  const indented = text.split('\n').map((line) => `  ${line}`)
  const read = readMeshConfig(`defaultConfig:\n${indented.join('\n')}\n`, { base: meshConfig })
  return read.ok ? read.value.defaultConfig : meshConfig.defaultConfig
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Endpoints of a service's port, whatever ports the view left of the service. */
export function endpointsOf(build: Build, service: MeshService, portName: string): readonly ServiceEndpoint[] {
  const endpoints = build.snapshot.endpoints(service, portName)
  return build.features.dualStack ? wholePods(originalOf(build, service), endpoints) : endpoints
}

/** Where a Service has both families, too, a pod of both is one endpoint and not one for each. */
function wholePods(whole: MeshService, endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
  return endpoints.flatMap((endpoint) => {
    const { podAddresses, ...alone } = endpoint
    const [first] = podAddresses ?? []
    if (first === undefined) return [endpoint]
    if (whole.registry === 'External') return [{ ...endpoint, address: first }]
    const addresses = whole.addressesIn?.[alone.cluster] ?? whole.addresses
    if (addresses.length < 2) return [alone]
    return alone.address.includes(':') ? [] : [{ ...endpoint, address: first }]
  })
}

/** The service with all its ports: a view may have fewer. */
export function originalOf(build: Build, service: MeshService): MeshService {
  return build.snapshot.servicesOf(service.hostname).find((s) => s.namespace === service.namespace) ?? service
}

/** `spec.ports[1]` of the Service or ServiceEntry that has the port. */
export function portSource(build: Build, service: MeshService, port: ServicePort): Provenance {
  const at = originalOf(build, service).ports.findIndex((p) => p.number === port.number)
  return sourceOfKey(service.source, at < 0 ? 'spec' : `spec.ports[${at}]`)
}

/** The VIP that a proxy calls, or `0.0.0.0` for a service without one. */
export function serviceAddress(service: MeshService): string {
  return vips(service)[0] ?? '0.0.0.0'
}

/** All VIPs, without the words that say there is none. */
export function vips(service: MeshService): readonly string[] {
  return service.headless ? [] : service.addresses.filter((a) => a !== '' && a !== 'None' && a !== '0.0.0.0')
}
