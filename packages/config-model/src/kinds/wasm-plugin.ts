import type { Resource } from '../resource.js'
import type { MatchLabelsSelector, PolicyTargetReference, PortSelector } from './common.js'
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
  match?: readonly { mode?: WorkloadMode; ports?: readonly PortSelector[] }[]
  type?: 'UNSPECIFIED_PLUGIN_TYPE' | 'HTTP' | 'NETWORK'
}

export type WasmPlugin = Resource<'WasmPlugin', WasmPluginSpec>
