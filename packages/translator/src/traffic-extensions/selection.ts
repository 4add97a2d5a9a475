import type { TrafficExtensionSpec, WasmModuleFields, WorkloadMode } from '@heddle/config-model'
import type { Build } from '../build.js'
import { isAttached } from '../policy-targets.js'
import { type Provenance, sourceOf } from '../provenance.js'
import type { ListenerClass } from '../proxy-headers.js'

export type Phase = 'AUTHN' | 'AUTHZ' | 'STATS' | 'UNSPECIFIED'

/** Code in a filter chain: a TrafficExtension, or a WasmPlugin, which is an older way to write one. */
export interface Extension {
  /** Of the filter, and of the configuration that a proxy asks for under it. */
  readonly name: string
  readonly phase: Phase
  readonly priority: number
  readonly match: NonNullable<TrafficExtensionSpec['match']>
  readonly wasm: WasmModuleFields | undefined
  readonly lua: string | undefined
  /** A network filter: of connections, not requests. */
  readonly network: boolean
  readonly source: Provenance
}

// No Kubernetes object has a `~` in its name.
const TRANSLATED = '~istio-translated-wasmplugin'

/** The extensions that select the proxy, of the root namespace and its own: higher priority first, then by name. */
export function extensionsOf(build: Build): readonly Extension[] {
  return build.memo.of('traffic extensions', [], () => {
    const { snapshot, proxy } = build
    const root = snapshot.meshConfig.rootNamespace
    const all = [...snapshot.list('TrafficExtension'), ...snapshot.list('WasmPlugin')]
    const own = all.filter((one) => isAttached(one, proxy, root))
    return own.map(extensionOf).sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
  })
}

type Listed = ReturnType<Build['snapshot']['list']>[number] & { readonly kind: 'TrafficExtension' | 'WasmPlugin' }

function extensionOf(resource: Listed): Extension {
  const { kind, metadata, spec } = resource
  const { phase = 'UNSPECIFIED', priority = Number.MIN_SAFE_INTEGER, match = [] } = spec
  const wasm = kind === 'WasmPlugin' ? spec : spec.wasm
  return {
    name: `extensions.istio.io/trafficextension/${metadata.namespace}.${metadata.name}${kind === 'WasmPlugin' ? TRANSLATED : ''}`,
    phase: phase === 'UNSPECIFIED_PHASE' ? 'UNSPECIFIED' : phase,
    priority,
    match,
    wasm,
    lua: kind === 'WasmPlugin' ? undefined : spec.lua?.inlineCode,
    network: wasm?.type === 'NETWORK',
    source: sourceOf(resource, 'spec'),
  }
}

/** Whether an extension is for a listener's port: inbound that of the workload, else the service's or server's. 0: it takes any port, so no match by port is meant. */
export function isForPort({ match }: Extension, listener: ListenerClass, port: number): boolean {
  if (match.length === 0) return true
  return match.some(
    ({ mode, ports = [] }) =>
      isForMode(mode, listener) && (ports.length === 0 || ports.some(({ number }) => number !== 0 && number === port)),
  )
}

function isForMode(mode: 'UNDEFINED' | WorkloadMode | undefined, listener: ListenerClass): boolean {
  if (mode === undefined || mode === 'UNDEFINED' || mode === 'CLIENT_AND_SERVER') return true
  return mode === (listener === 'inbound' ? 'SERVER' : 'CLIENT')
}
