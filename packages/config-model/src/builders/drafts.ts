import type { AuthorizationPolicySpec } from '../kinds/authorization-policy.js'
import type { DestinationRuleSpec, Subset } from '../kinds/destination-rule.js'
import type { EnvoyFilterSpec } from '../kinds/envoy-filter.js'
import type { GatewaySpec } from '../kinds/gateway.js'
import type { PeerAuthenticationSpec } from '../kinds/peer-authentication.js'
import type { ProxyConfigSpec } from '../kinds/proxy-config.js'
import type { RequestAuthenticationSpec } from '../kinds/request-authentication.js'
import type { ServiceEntrySpec } from '../kinds/service-entry.js'
import type { SidecarSpec } from '../kinds/sidecar.js'
import type { TelemetrySpec } from '../kinds/telemetry.js'
import type { VirtualServiceSpec } from '../kinds/virtual-service.js'
import type { WasmPluginSpec } from '../kinds/wasm-plugin.js'
import type { WorkloadEntrySpec } from '../kinds/workload-entry.js'
import type { WorkloadGroupSpec } from '../kinds/workload-group.js'
import type { Draft, DraftMetadata, Written } from './written.js'

/** Makes drafts of a kind; the compiler knows the fields, their enums and durations. */
export type Drafter<K extends string, S> = (metadata: DraftMetadata, spec: Written<S>) => Draft<K>

function drafter<K extends string, S extends object>(group: string, kind: K): Drafter<K, S> {
  return (metadata, spec) => ({ apiVersion: `${group}.istio.io/v1`, kind, metadata, spec: spec as object })
}

export const virtualService: Drafter<'VirtualService', VirtualServiceSpec> = drafter('networking', 'VirtualService')
export const gateway: Drafter<'Gateway', GatewaySpec> = drafter('networking', 'Gateway')
export const serviceEntry: Drafter<'ServiceEntry', ServiceEntrySpec> = drafter('networking', 'ServiceEntry')
export const sidecar: Drafter<'Sidecar', SidecarSpec> = drafter('networking', 'Sidecar')
export const workloadEntry: Drafter<'WorkloadEntry', WorkloadEntrySpec> = drafter('networking', 'WorkloadEntry')
export const workloadGroup: Drafter<'WorkloadGroup', WorkloadGroupSpec> = drafter('networking', 'WorkloadGroup')
export const envoyFilter: Drafter<'EnvoyFilter', EnvoyFilterSpec> = drafter('networking', 'EnvoyFilter')
export const proxyConfig: Drafter<'ProxyConfig', ProxyConfigSpec> = drafter('networking', 'ProxyConfig')
export const peerAuthentication: Drafter<'PeerAuthentication', PeerAuthenticationSpec> = drafter('security', 'PeerAuthentication')
export const requestAuthentication: Drafter<'RequestAuthentication', RequestAuthenticationSpec> = drafter(
  'security',
  'RequestAuthentication',
)
export const authorizationPolicy: Drafter<'AuthorizationPolicy', AuthorizationPolicySpec> = drafter(
  'security',
  'AuthorizationPolicy',
)
export const telemetry: Drafter<'Telemetry', TelemetrySpec> = drafter('telemetry', 'Telemetry')
export const wasmPlugin: Drafter<'WasmPlugin', WasmPluginSpec> = drafter('extensions', 'WasmPlugin')

/** A DestinationRule's spec; its draft remembers the names of the subsets, so that the compiler knows which there are. */
export type DestinationRuleDraft<N extends string> = Omit<Written<DestinationRuleSpec>, 'subsets'> & {
  readonly subsets?: readonly (Omit<Written<Subset>, 'name'> & { readonly name: N })[]
}

export function destinationRule<const N extends string = never>(
  metadata: DraftMetadata,
  spec: DestinationRuleDraft<N>,
): Draft<'DestinationRule', N> {
  return { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata, spec }
}
