import type { DestinationRuleSpec } from '../kinds/destination-rule.js'
import type { TrafficPolicy } from '../kinds/traffic-policy.js'

/** A TLS mode of a DestinationRule, and for whom it is. */
export interface TlsSetting {
  readonly mode: string
  readonly path: string
  /** Of the service; undefined: all but `others`. */
  readonly port: number | undefined
  /** Ports that have settings of their own. */
  readonly others: readonly number[]
  /** Of a subset. */
  readonly labels: Readonly<Record<string, string>>
}

/** Those of the whole host, of its subsets, and of their ports. */
export function tlsSettings(spec: DestinationRuleSpec): readonly TlsSetting[] {
  return [
    ...policySettings(spec.trafficPolicy, 'spec.trafficPolicy', {}),
    ...(spec.subsets ?? []).flatMap(({ labels = {}, trafficPolicy }, s) =>
      policySettings(trafficPolicy, `spec.subsets[${s}].trafficPolicy`, labels),
    ),
  ]
}

function policySettings(
  policy: TrafficPolicy | undefined,
  path: string,
  labels: Readonly<Record<string, string>>,
): readonly TlsSetting[] {
  const own = policy?.portLevelSettings ?? []
  const others = own.map(({ port }) => port.number)
  const ports = own.flatMap(({ port, tls }, p): TlsSetting[] => {
    const at = `${path}.portLevelSettings[${p}].tls.mode`
    return tls?.mode === undefined ? [] : [{ mode: tls.mode, path: at, port: port.number, others, labels }]
  })
  const mode = policy?.tls?.mode
  return mode === undefined ? ports : [{ mode, path: `${path}.tls.mode`, port: undefined, others, labels }, ...ports]
}
