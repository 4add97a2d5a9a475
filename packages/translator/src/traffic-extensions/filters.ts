import type { ExtensionConfigSource } from '@heddle/xds-types/envoy/config/core/v3'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { ADS_SOURCE, typed } from '../message.js'
import type { ListenerClass } from '../proxy-headers.js'
import { type Extension, extensionsOf, isForPort, type Phase } from './selection.js'

/** HTTP filters of a phase: Lua with its code; a Wasm module has to be fetched first, so its configuration comes apart (ECDS). */
export function httpExtensions(build: Build, listener: ListenerClass, port: number, phase: Phase): readonly HttpFilter[] {
  return extensionsFor(build, listener, port, phase, false).map(({ name, lua, source }) => {
    const filter: HttpFilter =
      lua === undefined
        ? { name, config_discovery: discovered('http') }
        : {
            name,
            typed_config: typed('envoy.extensions.filters.http.lua.v3.Lua', { default_source_code: { inline_string: lua } }),
          }
    return build.origins.mark(filter, source)
  })
}

/** Network filters of a phase: Wasm only. */
export function networkExtensions(build: Build, listener: ListenerClass, port: number, phase: Phase): readonly Filter[] {
  return extensionsFor(build, listener, port, phase, true).map(({ name, source }) =>
    build.origins.mark({ name, config_discovery: discovered('network') }, source),
  )
}

const NONE: readonly Filter[] = []
const PHASES: readonly Phase[] = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED']

/** Those of all phases, for HTTP and for connections going out: nothing of Istio's own stands between them. */
export function allNetworkExtensions(build: Build, listener: ListenerClass, port: number): readonly Filter[] {
  if (extensionsOf(build).length === 0) return NONE
  return PHASES.flatMap((phase) => networkExtensions(build, listener, port, phase))
}

function extensionsFor(
  build: Build,
  listener: ListenerClass,
  port: number,
  phase: Phase,
  network: boolean,
): readonly Extension[] {
  const all = extensionsOf(build)
  if (all.length === 0) return all
  return all.filter((one) => one.phase === phase && one.network === network && isForPort(one, listener, port))
}

/** Waits for as long as it takes: a proxy that let requests pass meanwhile would not be the one that was asked for. RBAC is what stands in for a module that fails. */
function discovered(layer: 'http' | 'network'): ExtensionConfigSource {
  const types = [`envoy.extensions.filters.${layer}.wasm.v3.Wasm`, `envoy.extensions.filters.${layer}.rbac.v3.RBAC`]
  return { config_source: ADS_SOURCE, type_urls: types.map((type) => `type.googleapis.com/${type}`) }
}
