import { validateTrafficExtension } from '../checks/traffic-extension.js'
import { fields } from '../decode/fields.js'
import { int32, listOf, oneOf, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import {
  type MatchLabelsSelector,
  matchLabelsSelector,
  type PolicyTargetReference,
  type PortSelector,
  portSelector,
  targetReference,
} from './common.js'
import { defineKind, type Kind } from './kind.js'
import type { WorkloadMode } from './telemetry.js'
import { type WasmModuleFields, wasmModuleShape } from './wasm-plugin.js'

/** extensions.istio.io TrafficExtension: a Wasm module or Lua code in the filter chain. Exactly one of `wasm` and `lua`. */
export interface TrafficExtensionSpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  phase?: 'UNSPECIFIED_PHASE' | 'UNSPECIFIED' | 'AUTHN' | 'AUTHZ' | 'STATS'
  priority?: number
  match?: readonly { mode?: 'UNDEFINED' | WorkloadMode; ports?: readonly PortSelector[] }[]
  wasm?: WasmModuleFields
  /** At most 64 KB. */
  lua?: { inlineCode: string }
}

export type TrafficExtension = Resource<'TrafficExtension', TrafficExtensionSpec>

export const trafficExtension: Kind<TrafficExtension> = defineKind<TrafficExtension>({
  name: 'TrafficExtension',
  groups: ['extensions.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<TrafficExtensionSpec>({
    selector: matchLabelsSelector,
    targetRef: targetReference,
    targetRefs: listOf(targetReference),
    phase: oneOf('UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED'),
    priority: int32,
    match: listOf(
      fields<{ mode?: 'UNDEFINED' | WorkloadMode; ports?: readonly PortSelector[] }>({
        mode: oneOf('UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER'),
        ports: listOf(portSelector),
      }),
    ),
    wasm: fields<WasmModuleFields>(wasmModuleShape, { defaults: { url: '' } }),
    lua: fields<{ inlineCode: string }>({ inlineCode: text }, { defaults: { inlineCode: '' } }),
  }),
  validate: validateTrafficExtension,
})
