import type { Telemetry, WorkloadMode } from '@heddle/config-model'
import { isIn } from '../ask.js'
import type { Build } from '../build.js'
import { isAttached, targetsOf } from '../policy-targets.js'
import type { ListenerClass } from '../proxy-headers.js'
import { isEmpty } from '../selection.js'

/** The Telemetry resources of a workload, the widest first: that of the root namespace, of its own namespace, and the one that selects or names it. The oldest of each. */
export function telemetryOf(build: Build): readonly Telemetry[] {
  return build.found.of('telemetry', [], () => attached(build))
}

function attached({ snapshot, proxy }: Build): readonly Telemetry[] {
  const listed = snapshot.list('Telemetry')
  const all = listed.filter(({ spec }) => targetsOf(spec).length === 0)
  const root = snapshot.meshConfig.rootNamespace
  const wide = all.filter(({ spec }) => isEmpty(spec.selector?.matchLabels))
  const ofMesh = wide.find(({ metadata }) => metadata.namespace === root)
  const ofNamespace = wide.find(({ metadata }) => metadata.namespace !== root && isIn(proxy, metadata.namespace))
  const own = listed.find(
    (one) =>
      (targetsOf(one.spec).length > 0 || (!isEmpty(one.spec.selector?.matchLabels) && isIn(proxy, one.metadata.namespace))) &&
      isAttached(one, proxy, root),
  )
  return [ofMesh, ofNamespace, own].filter((t) => t !== undefined)
}

/** Whether a setting for clients or servers is for a listener. A gateway is a client. */
export function isForListener(match: { readonly mode?: WorkloadMode } | undefined, listener: ListenerClass): boolean {
  const { mode = 'CLIENT_AND_SERVER' } = match ?? {}
  return mode === 'CLIENT_AND_SERVER' || mode === (listener === 'inbound' ? 'SERVER' : 'CLIENT')
}
