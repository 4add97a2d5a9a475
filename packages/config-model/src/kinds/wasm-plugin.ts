import { validateWasmPlugin } from '../checks/wasm.js'
import { fields, type Shape } from '../decode/fields.js'
import { int32, listOf, oneOf, struct, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { MatchLabelsSelector, PolicyTargetReference, PortSelector } from './common.js'
import { matchLabelsSelector, portSelector, targetReference } from './common.js'
import { defineKind, type Kind } from './kind.js'
import type { WorkloadMode } from './telemetry.js'

/** extensions.istio.io WasmPlugin. */
export interface WasmPluginSpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  /** `oci://`, `http(s)://` or `file://`; without a scheme: oci. */
  url: string
  sha256?: string
  imagePullPolicy?: 'UNSPECIFIED_POLICY' | 'IfNotPresent' | 'Always'
  imagePullSecret?: string
  verificationKey?: string
  pluginConfig?: Readonly<Record<string, unknown>>
  pluginName?: string
  phase?: 'UNSPECIFIED_PHASE' | 'AUTHN' | 'AUTHZ' | 'STATS'
  priority?: number
  failStrategy?: 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD'
  vmConfig?: { env?: readonly { name: string; valueFrom?: 'INLINE' | 'HOST'; value?: string }[] }
  match?: readonly { mode?: 'UNDEFINED' | WorkloadMode; ports?: readonly PortSelector[] }[]
  type?: 'UNSPECIFIED_PLUGIN_TYPE' | 'HTTP' | 'NETWORK'
}

export type WasmModuleFields = Pick<
  WasmPluginSpec,
  | 'url'
  | 'sha256'
  | 'imagePullPolicy'
  | 'imagePullSecret'
  | 'verificationKey'
  | 'pluginConfig'
  | 'pluginName'
  | 'failStrategy'
  | 'vmConfig'
  | 'type'
>

export type WasmPlugin = Resource<'WasmPlugin', WasmPluginSpec>

// WorkloadMode of the type package: UNDEFINED is 0 here, and means both.
const matchMode = oneOf('UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER')

const envVar = fields<{ name: string; valueFrom?: 'INLINE' | 'HOST'; value?: string }>(
  { name: text, valueFrom: oneOf('INLINE', 'HOST'), value: text },
  { defaults: { name: '' } },
)

/** Fields of the module itself, which a TrafficExtension has, too. */
export const wasmModuleShape: Shape<WasmModuleFields> = {
  url: text,
  sha256: text,
  imagePullPolicy: oneOf('UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'),
  imagePullSecret: text,
  verificationKey: text,
  pluginConfig: struct,
  pluginName: text,
  failStrategy: oneOf('FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'),
  vmConfig: fields<NonNullable<WasmPluginSpec['vmConfig']>>({ env: listOf(envVar) }),
  type: oneOf('UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK'),
}

export const wasmPlugin: Kind<WasmPlugin> = defineKind<WasmPlugin>({
  name: 'WasmPlugin',
  groups: ['extensions.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<WasmPluginSpec>(
    {
      selector: matchLabelsSelector,
      targetRef: targetReference,
      targetRefs: listOf(targetReference),
      ...wasmModuleShape,
      phase: oneOf('UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS'),
      priority: int32,
      match: listOf(
        fields<{ mode?: 'UNDEFINED' | WorkloadMode; ports?: readonly PortSelector[] }>({
          mode: matchMode,
          ports: listOf(portSelector),
        }),
      ),
    },
    { defaults: { url: '' } },
  ),
  validate: validateWasmPlugin,
})
