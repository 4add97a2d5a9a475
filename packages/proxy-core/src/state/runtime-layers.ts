import type { Runtime as RuntimeMessage } from '@heddle/xds-types/envoy/service/runtime/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { createRuntimeType } from '@heddle/xds-types/resources'
import type { Runtime } from '../runtime.js'
import type { ApplyUpdate } from '../xds/client.js'
import { rejectionOf } from '../xds/nack.js'
import type { ReceivedUpdate, Rejection } from '../xds/protocol.js'

export const RUNTIME_TYPE_URL: string = createRuntimeType(knownTypes).typeUrl

/** Takes RTDS: each resource is a whole layer of the runtime. Everything else is `others`' concern. */
export function withRuntimeLayers(runtime: Runtime, others: ApplyUpdate): ApplyUpdate {
  return (update) => (update.typeUrl === RUNTIME_TYPE_URL ? applyLayers(runtime, update) : others(update))
}

function applyLayers(runtime: Runtime, { resources, removed }: ReceivedUpdate): readonly Rejection[] {
  for (const name of removed) runtime.discover(name, undefined)
  return resources.flatMap(({ name, message }): Rejection[] => {
    if (!message.ok) return [rejectionOf(name, message.diagnostics)]
    const { layer } = message.value as RuntimeMessage
    return runtime.discover(name, layer ?? {}) ? [] : [{ name, message: 'layered_runtime has no rtds_layer of this name' }]
  })
}
