import { type Collection, derive } from '@heddle/runtime'
import type { MeshConfig } from '../kinds/mesh-config.js'
import type { IstioEgressListener, OutboundTrafficPolicy, Sidecar } from '../kinds/sidecar.js'
import { hostSubsetOf, hostsOverlap } from '../names/host.js'
import { selects } from '../names/labels.js'
import type { MeshService } from './service.js'
import type { EffectiveVirtualService } from './virtual-services.js'
import { exportedTo } from './visibility.js'

/** What the proxies of a Sidecar can see: a filter, not a list, so that a service more or less changes no scope. */
export interface SidecarScope {
  readonly namespace: string
  /** Undefined: of a namespace without a Sidecar. */
  readonly sidecar?: Sidecar
  /** Undefined: all workloads of the namespace. */
  readonly workloads?: Readonly<Record<string, string>>
  readonly egress: readonly EgressScope[]
  readonly outboundTrafficPolicy: OutboundTrafficPolicy
  readonly defaultServiceExportTo: readonly string[]
  readonly defaultVirtualServiceExportTo: readonly string[]
}

/** One egress listener; one without a port takes whatever the others leave. */
export interface EgressScope {
  readonly listener?: IstioEgressListener
  readonly imports: readonly Import[]
}

/** `namespace/host` of a Sidecar; `*` is any. */
export interface Import {
  readonly namespace: string
  readonly host: string
}

/** By `namespace/name` of the Sidecars. */
export function deriveSidecarScopes(sidecars: Collection<Sidecar>, meshConfig: Collection<MeshConfig>): Collection<SidecarScope> {
  return derive(
    sidecars,
    (sidecar, read) => {
      const mesh = read.get(meshConfig, '')
      return mesh === undefined ? undefined : scopeOfSidecar(sidecar, mesh)
    },
    { name: 'catalog.sidecar-scopes' },
  )
}

function scopeOfSidecar(sidecar: Sidecar, mesh: MeshConfig): SidecarScope {
  const { metadata, spec } = sidecar
  const { namespace } = metadata
  const workloads = spec.workloadSelector?.labels
  return {
    ...defaultScope(namespace, mesh),
    sidecar,
    ...(workloads === undefined || Object.keys(workloads).length === 0 ? {} : { workloads }),
    ...((spec.egress ?? []).length === 0
      ? {}
      : { egress: (spec.egress ?? []).map((listener) => ({ listener, imports: listener.hosts.map((host) => importOf(host)) })) }),
    ...(spec.outboundTrafficPolicy === undefined ? {} : { outboundTrafficPolicy: spec.outboundTrafficPolicy }),
  }
}

/** What a proxy of a namespace sees where no Sidecar applies: all that is exported to it. */
export function defaultScope(namespace: string, mesh: MeshConfig): SidecarScope {
  return {
    namespace,
    egress: [{ imports: [{ namespace: '*', host: '*' }] }],
    outboundTrafficPolicy: { mode: mesh.outboundTrafficPolicy.mode },
    defaultServiceExportTo: mesh.defaultServiceExportTo,
    defaultVirtualServiceExportTo: mesh.defaultVirtualServiceExportTo,
  }
}

function importOf(text: string): Import {
  const slash = text.indexOf('/')
  return { namespace: text.slice(0, slash), host: text.slice(slash + 1).toLowerCase() }
}

/** The scope of a workload: a Sidecar that selects it, then its namespace's, then the root namespace's. `scopes` are sorted by age of their Sidecars. */
export function scopeFor(
  scopes: readonly SidecarScope[],
  namespace: string,
  labels: Readonly<Record<string, string>>,
  mesh: MeshConfig,
): SidecarScope {
  const own = scopes.filter((scope) => scope.namespace === namespace)
  const found =
    own.find(({ workloads }) => workloads !== undefined && selects(workloads, labels)) ??
    own.find(({ workloads }) => workloads === undefined) ??
    scopes.find((scope) => scope.namespace === mesh.rootNamespace && scope.workloads === undefined)
  return found === undefined ? defaultScope(namespace, mesh) : found
}

/** Whether proxies of `namespace` under a scope may call a service. A Sidecar of the root namespace is read in the proxy's own namespace. */
export function seesService(scope: SidecarScope, namespace: string, service: MeshService): boolean {
  return (
    exportedTo(service.exportTo, scope.defaultServiceExportTo, service.namespace, namespace) &&
    imports(scope, namespace, service.namespace, (host) => hostSubsetOf(service.hostname, host))
  )
}

/** Whether proxies of `namespace` under a scope follow a VirtualService. */
export function seesVirtualService(
  scope: SidecarScope,
  namespace: string,
  { resource, hosts }: EffectiveVirtualService,
): boolean {
  const { metadata, spec } = resource
  return (
    exportedTo(spec.exportTo, scope.defaultVirtualServiceExportTo, metadata.namespace, namespace) &&
    imports(scope, namespace, metadata.namespace, (host) => hosts.some((own) => hostsOverlap(own, host)))
  )
}

function imports(scope: SidecarScope, namespace: string, owner: string, fits: (host: string) => boolean): boolean {
  return scope.egress.some((egress) =>
    egress.imports.some(
      (one) => (one.namespace === '*' || (one.namespace === '.' ? namespace : one.namespace) === owner) && fits(one.host),
    ),
  )
}
