import type { Build } from '../build.js'
import { type TypedMessage, typed } from '../message.js'
import type { ListenerClass } from '../proxy-headers.js'

const PROMETHEUS = 'prometheus'

/** istio.stats, where the mesh has Prometheus among its default metrics providers (MeshConfig.defaultProviders.metrics). The same for HTTP and TCP. */
export function statsFilter(
  build: Build,
  listener: ListenerClass,
): { readonly name: string; readonly typed_config: TypedMessage } | undefined {
  if (build.proxy.stockEnvoy || !(build.mesh.defaultProviders?.metrics ?? []).includes(PROMETHEUS)) return undefined
  // A server cannot trust the Host that a client names; a client knows whom it calls.
  const config = listener === 'outbound' ? {} : { disable_host_header_fallback: true }
  return { name: 'istio.stats', typed_config: typed('stats.PluginConfig', config) }
}
