import { type Collection, derive, index } from '@heddle/runtime'
import { oldestFirst } from '../age.js'
import type { AuthorizationPolicy } from '../kinds/authorization-policy.js'
import type { MutualTLSMode, PeerAuthentication } from '../kinds/peer-authentication.js'
import type { ProxyConfig, ProxyConfigSpec } from '../kinds/proxy-config.js'
import type { RequestAuthentication } from '../kinds/request-authentication.js'
import type { Telemetry } from '../kinds/telemetry.js'
import { selects } from '../names/labels.js'
import type { Resource } from '../resource.js'
import type { KindCollections } from './sources.js'

type Labels = Readonly<Record<string, string>>

/** The policies of a kind in one namespace, the oldest first. Those with targetRefs belong to gateways and services and are not there. */
export interface NamespacePolicies<R> {
  /** For all workloads of the namespace; of the root namespace, for the mesh. */
  readonly wide: readonly R[]
  /** For those that their selector takes. */
  readonly selecting: readonly R[]
}

/** By namespace. */
export interface Policies {
  readonly peerAuthentications: Collection<NamespacePolicies<PeerAuthentication>>
  readonly requestAuthentications: Collection<NamespacePolicies<RequestAuthentication>>
  readonly authorizationPolicies: Collection<NamespacePolicies<AuthorizationPolicy>>
  readonly telemetries: Collection<NamespacePolicies<Telemetry>>
  readonly proxyConfigs: Collection<NamespacePolicies<ProxyConfig>>
}

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels }
  readonly targetRef?: unknown
  readonly targetRefs?: readonly unknown[]
}

export function derivePolicies(sources: KindCollections): Policies {
  return {
    peerAuthentications: byNamespace(sources.PeerAuthentication, 'peer-authentications'),
    requestAuthentications: byNamespace(sources.RequestAuthentication, 'request-authentications'),
    authorizationPolicies: byNamespace(sources.AuthorizationPolicy, 'authorization-policies'),
    telemetries: byNamespace(sources.Telemetry, 'telemetries'),
    proxyConfigs: byNamespace(sources.ProxyConfig, 'proxy-configs'),
  }
}

function byNamespace<R extends Resource<string, Selecting>>(
  source: Collection<R>,
  name: string,
): Collection<NamespacePolicies<R>> {
  const groups = index(
    source,
    ({ metadata, spec }) =>
      spec.targetRef === undefined && (spec.targetRefs ?? []).length === 0 ? metadata.namespace : undefined,
    { name: `catalog.${name}.by-namespace` },
  )
  return derive(
    groups,
    (group) => {
      const all = oldestFirst(group)
      return { wide: all.filter((one) => isWide(one)), selecting: all.filter((one) => !isWide(one)) }
    },
    { name: `catalog.${name}` },
  )
}

function isWide({ spec }: Resource<string, Selecting>): boolean {
  return Object.keys(spec.selector?.matchLabels ?? {}).length === 0
}

/** The policies that count for the workloads of a namespace. */
export interface PolicyScopes<R> {
  readonly root: NamespacePolicies<R>
  /** None for the root namespace: its policies are in `root`. */
  readonly own: NamespacePolicies<R>
  readonly inRoot: boolean
}

const NONE: NamespacePolicies<never> = { wide: [], selecting: [] }

/** The policies of the root namespace and of a workload's own. */
export function scopesOf<R>(
  policies: Pick<Collection<NamespacePolicies<R>>, 'get'>,
  namespace: string,
  rootNamespace: string,
): PolicyScopes<R> {
  const inRoot = namespace === rootNamespace
  return { root: policies.get(rootNamespace) ?? NONE, own: (inRoot ? undefined : policies.get(namespace)) ?? NONE, inRoot }
}

/** One for each level, the most specific first: the oldest that selects the workload, the namespace's, the mesh's (PeerAuthentication, Telemetry, ProxyConfig). */
export function levelsOf<R extends Resource<string, Selecting>>(
  { root, own, inRoot }: PolicyScopes<R>,
  labels: Labels,
): readonly R[] {
  const { selecting } = inRoot ? root : own
  const mine = selecting.find(({ spec }) => selects(spec.selector?.matchLabels, labels))
  return [mine, own.wide[0], root.wide[0]].filter((policy) => policy !== undefined)
}

/** All that apply to a workload, the root namespace's first (AuthorizationPolicy, RequestAuthentication): selectors of the root namespace count everywhere. */
export function allOf<R extends Resource<string, Selecting>>({ root, own }: PolicyScopes<R>, labels: Labels): readonly R[] {
  return [root, own].flatMap(({ wide, selecting }) =>
    oldestFirst([...wide, ...selecting]).filter(({ spec }) => selects(spec.selector?.matchLabels, labels)),
  )
}

/** The mode of a workload's port: its own policy's setting for the port, then the first level that says a mode, else PERMISSIVE. */
export function mutualTlsMode(levels: readonly PeerAuthentication[], port?: number): Exclude<MutualTLSMode, 'UNSET'> {
  const own = levels.find((policy) => !isWide(policy))
  const atPort = port === undefined ? undefined : portMode(own, port)
  for (const mode of [atPort, ...levels.map(({ spec }) => spec.mtls?.mode)])
    if (mode !== undefined && mode !== 'UNSET') return mode
  return 'PERMISSIVE'
}

function portMode(policy: PeerAuthentication | undefined, port: number): MutualTLSMode | undefined {
  const ports: Readonly<Record<string, { readonly mode?: MutualTLSMode }>> = policy?.spec.portLevelMtls ?? {}
  return ports[String(port)]?.mode
}

/** ProxyConfigs merged field by field, the most specific winning (proxyconfig.go: mergeWithPrecedence); environment variables come together. */
export function mergedProxyConfig(levels: readonly ProxyConfig[]): ProxyConfigSpec {
  const merged: ProxyConfigSpec = {}
  for (const { spec } of levels.toReversed()) {
    const { selector: _, environmentVariables, ...fields } = spec
    Object.assign(merged, fields)
    if (environmentVariables !== undefined)
      merged.environmentVariables = { ...merged.environmentVariables, ...environmentVariables }
  }
  return merged
}
