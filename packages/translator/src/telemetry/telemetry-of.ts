import type { Telemetry, WorkloadMode } from '@heddle/config-model'
import { selectsProxy } from '../ask.js'
import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'
import { isEmpty } from '../selection.js'

/** The Telemetry resources of a workload, the widest first: that of the root namespace, of its own namespace, and the one that selects it. The oldest of each. */
export function telemetryOf({ snapshot, proxy }: Build): readonly Telemetry[] {
  const all = snapshot.list('Telemetry').filter(({ spec }) => spec.targetRef === undefined && isEmptyList(spec.targetRefs))
  const wide = (namespace: string): Telemetry | undefined =>
    all.find((t) => t.metadata.namespace === namespace && isEmpty(t.spec.selector?.matchLabels))
  const root = snapshot.meshConfig.rootNamespace
  const own = all.find(
    ({ metadata, spec }) =>
      metadata.namespace === proxy.namespace &&
      !isEmpty(spec.selector?.matchLabels) &&
      selectsProxy(spec.selector?.matchLabels, proxy),
  )
  return [wide(root), proxy.namespace === root ? undefined : wide(proxy.namespace), own].filter((t) => t !== undefined)
}

function isEmptyList(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0
}

/** Whether a setting for clients or servers is for a listener. A gateway is a client. */
export function isForListener(match: { readonly mode?: WorkloadMode } | undefined, listener: ListenerClass): boolean {
  const { mode = 'CLIENT_AND_SERVER' } = match ?? {}
  return mode === 'CLIENT_AND_SERVER' || mode === (listener === 'inbound' ? 'SERVER' : 'CLIENT')
}
