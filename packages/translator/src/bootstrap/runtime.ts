import type { MeshProxyConfig } from '@heddle/config-model'

// Why each: pilot-agent's own list.
const DEFAULTS: Readonly<Record<string, boolean | string>> = {
  're2.max_program_size.error_level': '32768',
  'envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst': true,
  'envoy.reloadable_features.http_reject_path_with_fragment': false,
  'envoy.reloadable_features.fixed_heap_use_allocated': true,
  'envoy.reloadable_features.coalesce_lb_rebuilds_on_batch_update': false,
}

/** Envoy's static runtime layer, with ProxyConfig.runtimeValues over it; an empty value takes a default away. Envoy refuses booleans and numbers in quotes. */
export function runtimeFlags({ runtimeValues = {} }: MeshProxyConfig): Readonly<Record<string, unknown>> {
  const flags: Record<string, unknown> = { ...DEFAULTS }
  for (const [name, value] of Object.entries(runtimeValues)) {
    if (value === '') delete flags[name]
    else flags[name] = typedValue(value)
  }
  return flags
}

function typedValue(value: string): unknown {
  if (value === 'true' || value === 'false') return value === 'true'
  return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}
