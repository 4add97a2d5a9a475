import type { MutualTLSMode, PeerAuthentication } from '@heddle/config-model'
import type { Authorization, Group, Match, Rules } from '@heddle/xds-types/istio/security'
import { defined } from '../message.js'
import { isEmpty } from '../selection.js'

/** What stands above a workload's policy. */
export interface Parents {
  readonly namespace: PeerAuthentication | undefined
  readonly mesh: PeerAuthentication | undefined
}

/** No Kubernetes object has such a name: `_` is not allowed in one. */
const STATIC_STRICT = 'istio_converted_static_strict'

/** A connection without a certificate. */
const ANONYMOUS: Match = { not_principals: [{ presence: {} }] }

/** STRICT for everything that a workload serves: L4 proxies have it once, workloads name it. */
export function staticStrict(rootNamespace: string): Authorization {
  return {
    name: STATIC_STRICT,
    namespace: rootNamespace,
    scope: 'WORKLOAD_SELECTOR',
    action: 'DENY',
    groups: [{ rules: [{ matches: [ANONYMOUS] }] }],
  }
}

export function convertedName({ metadata }: PeerAuthentication): string {
  return `converted_peer_authentication_${metadata.name}`
}

/**
 * A workload's policy with modes of single ports as what it denies; undefined for every other policy, and where its parents or {@link staticStrict} say
 * all of it. Ports that take plain text are exceptions from a denial of everything, so what is STRICT above is repeated beside them.
 */
export function l4PeerAuthentication(
  policy: PeerAuthentication,
  parents: Parents,
  rootNamespace: string,
): Authorization | undefined {
  const { metadata, spec } = policy
  const ports = Object.entries(spec.portLevelMtls ?? {}).sort(([a], [b]) => Number(a) - Number(b))
  if (metadata.namespace === rootNamespace || spec.selector === undefined || ports.length === 0) return undefined
  const own = modeOf(policy)
  const above = inherited(parents)
  const strict = own === 'STRICT' || (own === 'UNSET' && above === 'STRICT')
  const closed: Group[] = []
  const open: Rules[] = []
  for (const [port, { mode }] of ports) {
    if (mode === 'STRICT' && !strict) closed.push({ rules: [{ matches: [{ ...ANONYMOUS, destination_ports: [Number(port)] }] }] })
    if ((mode === 'PERMISSIVE' || mode === 'DISABLE') && strict)
      open.push({ matches: [{ not_destination_ports: [Number(port)] }] })
  }
  if (closed.length + open.length === 0) return undefined
  const everything: Rules = { matches: [ANONYMOUS] }
  const rules = own === 'STRICT' ? [everything, ...open] : [...open, ...(open.length > 0 ? [everything] : [])]
  return defined({
    name: convertedName(policy),
    namespace: metadata.namespace === '' ? undefined : metadata.namespace,
    scope: 'WORKLOAD_SELECTOR' as const,
    action: 'DENY' as const,
    groups: open.length === 0 ? closed : [...closed, { rules }],
  })
}

/** Names (`namespace/name`) of the policies that a workload is under, of those that select it, the oldest first. */
export function peerAuthenticationKeys(selecting: readonly PeerAuthentication[], rootNamespace: string): string[] {
  const wide = (inRoot: boolean): PeerAuthentication | undefined =>
    selecting.find((p) => isEmpty(p.spec.selector?.matchLabels) && (p.metadata.namespace === rootNamespace) === inRoot)
  const parents = { mesh: wide(true), namespace: wide(false) }
  const own = selecting.find((p) => !isEmpty(p.spec.selector?.matchLabels) && p.metadata.namespace !== rootNamespace)
  if (own !== undefined && l4PeerAuthentication(own, parents, rootNamespace) !== undefined)
    return [`${own.metadata.namespace}/${convertedName(own)}`]
  const mode = own === undefined || modeOf(own) === 'UNSET' ? inherited(parents) : modeOf(own)
  return mode === 'STRICT' ? [`${rootNamespace}/${STATIC_STRICT}`] : []
}

function modeOf(policy: PeerAuthentication | undefined): MutualTLSMode {
  return policy?.spec.mtls?.mode ?? 'UNSET'
}

function inherited({ namespace, mesh }: Parents): MutualTLSMode {
  return modeOf(namespace) === 'UNSET' ? modeOf(mesh) : modeOf(namespace)
}
