import { type MeshProxyConfig, type MeshSnapshot, readMeshConfig } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import type { Build, JwksSource } from './build.js'
import { danglingReferences } from './check.js'
import { blackHoleCluster, inboundPassthroughCluster, passthroughCluster } from './clusters/builtin.js'
import { inboundClusters } from './clusters/inbound.js'
import { outboundClusters, sniDnatClusters } from './clusters/outbound.js'
import { destinationRules } from './destination-rules.js'
import { serversOf } from './gateways.js'
import { grpcGroups, isProxyless } from './grpc/groups.js'
import { gatewayListeners } from './listeners/gateway.js'
import { inbound } from './listeners/inbound.js'
import { httpProxyListener, outboundListeners } from './listeners/outbound.js'
import { virtualInbound } from './listeners/virtual-inbound.js'
import { virtualOutbound } from './listeners/virtual-outbound.js'
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from './message.js'
import { HTTP_PROXY_ROUTE } from './names.js'
import { createOrigins, createProvenanceIndex, joinOrigins, type ProvenanceIndex } from './provenance.js'
import { type ProxyDescriptor, parseLocality } from './proxy.js'
import { gatewayRoutes } from './routes/gateway.js'
import { outboundRoutes } from './routes/outbound.js'
import { secretsGroup } from './secrets/secrets.js'
import { peerPolicies } from './security/mtls-mode.js'
import { type ServiceTarget, serviceTargets } from './service-targets.js'
import { sharedGroup } from './shared-group.js'
import { viewOf } from './view.js'
import { CLUSTER_DOMAIN } from './virtual-services.js'

export interface TranslateOptions {
  /** As of the store; default `cluster.local`. '' leaves short names as `name.namespace`. */
  readonly domainSuffix?: string
  /** Keys (JWKS as JSON) of RequestAuthentications that name a `jwksUri`, or only an issuer: translation fetches nothing itself. Default: none are known, and every token of such an issuer is refused. */
  readonly jwks?: (source: JwksSource) => string | undefined
  /** Whether the proxy has proved who it is. Default true. Without proof it gets no secrets, as on istiod's plaintext port. */
  readonly authenticated?: boolean
}

export interface Translation {
  readonly resources: ResourceSet
  readonly diagnostics: readonly Diagnostic[]
  /** Which objects of the user are behind a resource or one of its fields. */
  readonly provenance: ProvenanceIndex
}

/** What istiod would send this proxy for this mesh. Pure: no clock, no I/O, nothing remembered that could be seen. */
export function translate(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options: TranslateOptions = {}): Translation {
  const targets = serviceTargets(snapshot, proxy)
  const build = prepare(snapshot, located(proxy, targets), options)
  if (isProxyless(proxy)) return proxyless(build, targets)
  const shared = sharedGroup(build, () => (proxy.type === 'router' ? gatewayOutbound(build) : sidecarOutbound(build)))
  const own = proxy.type === 'router' ? gatewayGroups(build, targets) : sidecarGroups(build, targets)
  const secrets = options.authenticated === false ? undefined : secretsGroup(build, [shared.group, ...own])
  const resources = { groups: [shared.group, ...own, ...(secrets === undefined ? [] : [secrets.group])] }
  const origins = shared.origins === build.origins ? build.origins : joinOrigins([shared.origins, build.origins])
  return {
    resources,
    diagnostics: [...danglingReferences(resources, origins), ...(secrets?.diagnostics ?? [])],
    provenance: createProvenanceIndex(resources, origins),
  }
}

/** An application's own gRPC library: its certificates come from files of the agent. */
function proxyless(build: Build, targets: readonly ServiceTarget[]): Translation {
  const resources = { groups: grpcGroups(build, targets) }
  return {
    resources,
    diagnostics: danglingReferences(resources, build.origins),
    provenance: createProvenanceIndex(resources, build.origins),
  }
}

/** A node that does not say where it is stands where its endpoints are. */
function located(proxy: ProxyDescriptor, targets: readonly ServiceTarget[]): ProxyDescriptor {
  const found = targets.find((t) => t.locality !== '')?.locality
  return proxy.locality.region !== '' || found === undefined ? proxy : { ...proxy, locality: parseLocality(found) }
}

function prepare(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options: TranslateOptions): Build {
  const { domainSuffix = CLUSTER_DOMAIN, jwks = () => undefined } = options
  return {
    snapshot,
    mesh: snapshot.meshConfig,
    proxyConfig: proxyConfigOf(snapshot, proxy),
    proxy,
    view: viewOf(snapshot, proxy, domainSuffix),
    rules: destinationRules(snapshot, proxy, domainSuffix),
    peers: peerPolicies(snapshot),
    origins: createOrigins(),
    jwks,
    domainSuffix,
  }
}

/** The node carries what the injector merged (PROXY_CONFIG), or at least its annotation; else the mesh's defaults hold. */
function proxyConfigOf({ meshConfig }: MeshSnapshot, proxy: ProxyDescriptor): MeshProxyConfig {
  const { PROXY_CONFIG: own, ANNOTATIONS: annotations } = proxy.metadata
  const text = isRecord(own) ? JSON.stringify(own) : isRecord(annotations) ? annotations['proxy.istio.io/config'] : undefined
  if (typeof text !== 'string' || text === '') return meshConfig.defaultConfig
  const indented = text.split('\n').map((line) => `  ${line}`)
  const read = readMeshConfig(`defaultConfig:\n${indented.join('\n')}\n`, { base: meshConfig })
  return read.ok ? read.value.defaultConfig : meshConfig.defaultConfig
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** What the proxies of a view call, the same for all replicas of a workload. */
function sidecarOutbound(build: Build): ResourceGroup {
  const outbound = outboundListeners(build)
  const clusters = outboundClusters(build)
  return group(`outbound ${build.view.key.trim()}`, {
    [LISTENER_TYPE]: [...outbound.listeners, ...present(virtualOutbound(build))],
    [ROUTE_TYPE]: outboundRoutes(build, outbound.routeNames),
    [CLUSTER_TYPE]: [...clusters.clusters, blackHoleCluster(build), passthroughCluster(build), inboundPassthroughCluster(build)],
    [ENDPOINT_TYPE]: clusters.endpoints,
  })
}

function sidecarGroups(build: Build, targets: readonly ServiceTarget[]): ResourceGroup[] {
  const { proxy } = build
  const httpProxy = httpProxyListener(build)
  const inboundParts = inbound(build, targets)
  const redirected = proxy.interceptionMode !== 'NONE'
  return [
    // Its port is the proxy's own.
    group(
      `http proxy ${proxy.id}`,
      httpProxy === undefined ? {} : { [LISTENER_TYPE]: [httpProxy], [ROUTE_TYPE]: outboundRoutes(build, [HTTP_PROXY_ROUTE]) },
    ),
    group(`inbound ${proxy.id}`, {
      [LISTENER_TYPE]: [...(redirected ? [virtualInbound(build, inboundParts.virtualChains)] : []), ...inboundParts.listeners],
      [CLUSTER_TYPE]: inboundClusters(build, targets),
    }),
  ]
}

function gatewayOutbound(build: Build): ResourceGroup {
  const clusters = outboundClusters(build)
  return group(`outbound ${build.view.key.trim()}`, {
    [CLUSTER_TYPE]: [...clusters.clusters, blackHoleCluster(build)],
    [ENDPOINT_TYPE]: clusters.endpoints,
  })
}

function gatewayGroups(build: Build, targets: readonly ServiceTarget[]): ResourceGroup[] {
  const servers = serversOf(build.snapshot, build.proxy, targets)
  const untouched = servers.some(({ server }) => server.tls?.mode === 'AUTO_PASSTHROUGH') ? sniDnatClusters(build) : undefined
  return [
    group(`passthrough ${build.proxy.id}`, {
      [CLUSTER_TYPE]: untouched?.clusters ?? [],
      [ENDPOINT_TYPE]: untouched?.endpoints ?? [],
    }),
    group(`gateway ${build.proxy.id}`, {
      [LISTENER_TYPE]: gatewayListeners(build, servers),
      [ROUTE_TYPE]: gatewayRoutes(build, servers),
    }),
  ]
}

function group(id: string, resources: Readonly<Record<string, readonly object[]>>): ResourceGroup {
  return { id, resources: new Map(Object.entries(resources).filter(([, list]) => list.length > 0)) }
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}
