import { type MeshSnapshot, type MutualTLSMode, type PeerAuthentication, selects } from '@heddle/config-model'
import type { Memo } from '../memo.js'
import { type Provenance, sourceOf } from '../provenance.js'
import { isEmpty } from '../selection.js'
import { isRehearsed } from './dry-run.js'

export type EffectiveMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT'

/** The mode of a workload's port and the policies that made it so, the most specific first. */
export interface PortMode {
  readonly mode: EffectiveMode
  readonly sources: readonly Provenance[]
}

export interface WorkloadPolicy {
  readonly mode: EffectiveMode
  readonly ports: ReadonlyMap<number, PortMode>
  forPort(port: number): PortMode
}

/** PeerAuthentication as it applies to workloads: own selector over namespace over mesh; of several at a level the oldest. */
export interface PeerPolicies extends PeerModes {
  /** What would be in force if the policies that are only rehearsed were. */
  readonly rehearsed: PeerModes
}

export interface PeerModes {
  ofWorkload(namespace: string, labels: Readonly<Record<string, string>>): WorkloadPolicy
  /** Of a whole namespace, for clients that guess what a service takes. */
  ofNamespace(namespace: string): EffectiveMode
}

export function peerPolicies(snapshot: MeshSnapshot, common: Memo): PeerPolicies {
  const table = (name: string, rehearsed: boolean) => (namespace: string) =>
    common.table(name, [], () => byNamespace(snapshot, rehearsed))(namespace) ?? []
  const modes = modesOf(snapshot, table('peer authentications', false))
  return {
    ofWorkload: modes.ofWorkload,
    // Each cluster asks.
    ofNamespace: (namespace) => common.of('mode of namespace', [namespace], () => modes.ofNamespace(namespace)),
    rehearsed: modesOf(snapshot, table('peer authentications and rehearsed ones', true)),
  }
}

function modesOf(snapshot: MeshSnapshot, of: (namespace: string) => readonly PeerAuthentication[]): PeerModes {
  const wide = (namespace: string): PeerAuthentication | undefined =>
    of(namespace).find((p) => isEmpty(p.spec.selector?.matchLabels))
  const levels = (namespace: string, labels?: Readonly<Record<string, string>>): PeerAuthentication[] => {
    const root = snapshot.meshConfig.rootNamespace
    const own =
      labels === undefined
        ? undefined
        : of(namespace).find((p) => !isEmpty(p.spec.selector?.matchLabels) && selects(p.spec.selector?.matchLabels, labels))
    return [own, namespace === root ? undefined : wide(namespace), wide(root)].filter((p) => p !== undefined)
  }
  return {
    ofWorkload(namespace, labels) {
      const policies = levels(namespace, labels)
      const whole = effective(policies)
      const own = policies.find((p) => !isEmpty(p.spec.selector?.matchLabels))
      const ports = new Map<number, PortMode>()
      for (const [port, { mode }] of Object.entries(own?.spec.portLevelMtls ?? {})) {
        const source = own === undefined ? [] : [sourceOf(own, `spec.portLevelMtls[${port}].mode`)]
        ports.set(Number(port), isSet(mode) ? { mode, sources: [...source, ...whole.sources] } : whole)
      }
      return { mode: whole.mode, ports, forPort: (port) => ports.get(port) ?? whole }
    },
    ofNamespace: (namespace) => effective(levels(namespace)).mode,
  }
}

function byNamespace(snapshot: MeshSnapshot, rehearsed: boolean): ReadonlyMap<string, readonly PeerAuthentication[]> {
  const found = new Map<string, PeerAuthentication[]>()
  const all = snapshot.list('PeerAuthentication')
  // In a rehearsal what is rehearsed comes before what it would replace.
  const inOrder = rehearsed ? [...all.filter(isRehearsed), ...all] : all.filter((policy) => !isRehearsed(policy))
  for (const policy of inOrder) {
    const known = found.get(policy.metadata.namespace)
    if (known === undefined) found.set(policy.metadata.namespace, [policy])
    else known.push(policy)
  }
  return found
}

function effective(policies: readonly PeerAuthentication[]): PortMode {
  for (const policy of policies) {
    const mode = policy.spec.mtls?.mode
    if (isSet(mode)) return { mode, sources: [sourceOf(policy, 'spec.mtls.mode')] }
  }
  return { mode: 'PERMISSIVE', sources: [] }
}

function isSet(mode: MutualTLSMode | undefined): mode is EffectiveMode {
  return mode !== undefined && mode !== 'UNSET'
}
