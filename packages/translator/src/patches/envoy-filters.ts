import type {
  EnvoyConfigObjectMatch,
  EnvoyFilter,
  EnvoyFilterApplyTo,
  EnvoyFilterContext,
  EnvoyFilterOperation,
} from '@heddle/config-model'
import { knownTypes } from '@heddle/xds-types/known'
import { ask, isIn, selectsProxy } from '../ask.js'
import type { Build } from '../build.js'
import { gatewayNameOf } from '../policy-targets.js'
import { type Provenance, sourceOf } from '../provenance.js'
import type { ProxyDescriptor } from '../proxy.js'
import { versionMatches } from './proxy-version.js'

/** One patch of an EnvoyFilter, its value read as the message that it stands for. */
export interface Patch {
  readonly applyTo: EnvoyFilterApplyTo
  readonly operation: EnvoyFilterOperation
  readonly match: EnvoyConfigObjectMatch
  /** Empty when the patch only removes. */
  readonly value: Readonly<Record<string, unknown>>
  readonly source: Provenance
}

/** The patches for a proxy, in the order in which they are applied. */
export interface Patches {
  readonly empty: boolean
  of(applyTo: EnvoyFilterApplyTo, context: EnvoyFilterContext): readonly Patch[]
}

const CORE = 'envoy.config.core.v3'
const LISTENER = 'envoy.config.listener.v3'
const ROUTE = 'envoy.config.route.v3'

/** What `patch.value` is by applyTo. BOOTSTRAP is the agent's. */
const TYPES: Readonly<Partial<Record<EnvoyFilterApplyTo, string>>> = {
  LISTENER: `${LISTENER}.Listener`,
  FILTER_CHAIN: `${LISTENER}.FilterChain`,
  NETWORK_FILTER: `${LISTENER}.Filter`,
  LISTENER_FILTER: `${LISTENER}.ListenerFilter`,
  HTTP_FILTER: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter',
  ROUTE_CONFIGURATION: `${ROUTE}.RouteConfiguration`,
  VIRTUAL_HOST: `${ROUTE}.VirtualHost`,
  HTTP_ROUTE: `${ROUTE}.Route`,
  CLUSTER: 'envoy.config.cluster.v3.Cluster',
  EXTENSION_CONFIG: `${CORE}.TypedExtensionConfig`,
}

const INSERTABLE: ReadonlySet<EnvoyFilterApplyTo> = new Set(['HTTP_FILTER', 'NETWORK_FILTER', 'HTTP_ROUTE', 'LISTENER_FILTER'])
const INSERTS: ReadonlySet<EnvoyFilterOperation> = new Set(['INSERT_AFTER', 'INSERT_BEFORE', 'INSERT_FIRST'])

const read = new WeakMap<EnvoyFilter, readonly Patch[]>()

export function patchesOf(build: Build): Patches {
  const all = build.memo.of('envoy filters', [], () =>
    filtersFor(build).flatMap((filter) => patchesIn(filter).filter((patch) => meets(build, patch))),
  )
  return {
    empty: all.length === 0,
    of: (applyTo, context) =>
      all.filter(({ applyTo: to, match }) => to === applyTo && (isAny(match) || match.context === context)),
  }
}

/** `host` or `namespace/host`: what EnvoyFilters say by annotation that their patches call. */
export function referencedServices(build: Build): readonly string[] {
  return filtersFor(build).flatMap(({ metadata }) =>
    (metadata.annotations['envoyfilter.istio.io/referenced-services'] ?? '').split(','),
  )
}

const isAny = ({ context = 'ANY' }: EnvoyConfigObjectMatch): boolean => context === 'ANY'

/** By priority; of one priority those of the root namespace first, then the older. */
function filtersFor({ snapshot, proxy }: Build): EnvoyFilter[] {
  const root = snapshot.meshConfig.rootNamespace
  const rank = ({ metadata, spec }: EnvoyFilter): readonly [number, number] => [
    spec.priority ?? 0,
    metadata.namespace === root ? 0 : 1,
  ]
  return snapshot
    .list('EnvoyFilter')
    .filter(({ metadata, spec }) => {
      if (metadata.namespace !== root && !isIn(proxy, metadata.namespace)) return false
      const refs = spec.targetRefs ?? []
      if (refs.length > 0) return isIn(proxy, metadata.namespace) && targets(gatewayNameOf(proxy), refs)
      return selectsProxy(spec.workloadSelector?.labels, proxy)
    })
    .sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1] || byAgeAndFullName(a, b))
}

/** Unlike other configs, those of one age go by `name.namespace`. */
function byAgeAndFullName({ metadata: a }: EnvoyFilter, { metadata: b }: EnvoyFilter): number {
  const age = ({ creationTimestamp }: EnvoyFilter['metadata']): number => Date.parse(creationTimestamp ?? '') || 0
  return age(a) - age(b) || (`${a.name}.${a.namespace}` < `${b.name}.${b.namespace}` ? -1 : 1)
}

function targets(gateway: string | undefined, refs: NonNullable<EnvoyFilter['spec']['targetRefs']>): boolean {
  return gateway !== undefined && refs.some(({ kind, name }) => kind === 'Gateway' && name === gateway)
}

/** Patches whose value is no message of its type are left out, as by istiod; validation has refused them. */
function patchesIn(filter: EnvoyFilter): readonly Patch[] {
  let known = read.get(filter)
  if (known === undefined) {
    known = (filter.spec.configPatches ?? []).flatMap(({ applyTo, match, patch }, i) => {
      const type = knownTypes.find(TYPES[applyTo] ?? '')
      const value = type?.fromJson(patch.value ?? {}, knownTypes)
      if (type === undefined || value?.ok !== true) return []
      const operation = INSERTS.has(patch.operation) && !INSERTABLE.has(applyTo) ? 'ADD' : patch.operation
      const source = sourceOf(filter, `spec.configPatches[${i}]`)
      return [{ applyTo, operation, match: match ?? {}, value: type.toJson(value.value) as Patch['value'], source }]
    })
    read.set(filter, known)
  }
  return known
}

function meets({ proxy }: Build, { match }: Patch): boolean {
  const { proxyVersion, metadata } = match.proxy ?? {}
  const wanted = Object.entries(metadata ?? {})
  if (proxyVersion !== undefined && proxyVersion !== '') {
    if (!ask(proxy, `version ${proxyVersion}`, ({ version }) => versionMatches(proxyVersion, version))) return false
  }
  return (
    wanted.length === 0 ||
    ask(proxy, `metadata ${JSON.stringify(wanted)}`, (p) => wanted.every(([name, value]) => metadataOf(p, name) === value))
  )
}

/** What a node says of itself in its metadata, wherever it is kept. */
function metadataOf(proxy: ProxyDescriptor, name: string): unknown {
  const known: Readonly<Record<string, string>> = {
    CLUSTER_ID: proxy.cluster,
    ISTIO_VERSION: proxy.version,
    NAMESPACE: proxy.namespace,
    NETWORK: proxy.network,
    SERVICE_ACCOUNT: proxy.serviceAccount,
  }
  return proxy.metadata[name] ?? known[name]
}
