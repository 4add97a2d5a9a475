import { oldestFirst } from '../age.js'
import { levelsOf, mutualTlsMode, type NamespacePolicies } from '../catalog/policies.js'
import type { MutualTLSMode, PeerAuthentication } from '../kinds/peer-authentication.js'
import type { AnalysisContext } from './context.js'
import { groupBy } from './group-by.js'
import type { Workload } from './workloads.js'

/** What a workload asks of those that call it. */
export interface PeerMode {
  readonly mode: Exclude<MutualTLSMode, 'UNSET'>
  /** `namespace/name` of the PeerAuthentication that says so; undefined: none does. */
  readonly policy: string | undefined
}

/** Asks for the mode of a workload, of one of its ports. */
export type PeerModes = (workload: Pick<Workload, 'namespace' | 'labels'>, port?: number) => PeerMode

export function createPeerModes(context: AnalysisContext): PeerModes {
  const resources = context
    .of('PeerAuthentication')
    .map(({ metadata, spec }): PeerAuthentication => ({ kind: 'PeerAuthentication', metadata, spec }))
  const byNamespace = new Map(
    [...groupBy(resources, ({ metadata }) => metadata.namespace)].map(([namespace, group]) => [namespace, ordered(group)]),
  )
  const none = ordered([])
  const { rootNamespace } = context.meshConfig
  return ({ namespace, labels }, port) => {
    const inRoot = namespace === rootNamespace
    const root = byNamespace.get(rootNamespace) ?? none
    const own = (inRoot ? undefined : byNamespace.get(namespace)) ?? none
    const levels = levelsOf({ root, own, inRoot }, labels)
    const mode = mutualTlsMode(levels, port)
    const source = levels.find((policy) => mutualTlsMode([policy], port) === mode && saysMode(policy, port))
    return { mode, policy: source === undefined ? undefined : `${source.metadata.namespace}/${source.metadata.name}` }
  }
}

function ordered(policies: readonly PeerAuthentication[]): NamespacePolicies<PeerAuthentication> {
  const all = oldestFirst(policies)
  const isWide = ({ spec }: PeerAuthentication): boolean => Object.keys(spec.selector?.matchLabels ?? {}).length === 0
  return { wide: all.filter(isWide), selecting: all.filter((one) => !isWide(one)) }
}

function saysMode({ spec }: PeerAuthentication, port: number | undefined): boolean {
  const atPort = port === undefined ? undefined : spec.portLevelMtls?.[port]?.mode
  return [atPort, spec.mtls?.mode].some((mode) => mode !== undefined && mode !== 'UNSET')
}
