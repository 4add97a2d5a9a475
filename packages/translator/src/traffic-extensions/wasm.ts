import type { WasmModuleFields } from '@heddle/config-model'
import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { Build } from '../build.js'
import { defined, typed } from '../message.js'
import { patchesOf } from '../patches/envoy-filters.js'
import { type Extension, extensionsOf } from './selection.js'

const FETCH_TIMEOUT = '30s'
const POLICY_VARIABLE = 'ISTIO_META_WASM_IMAGE_PULL_POLICY'
const VERSION_VARIABLE = 'ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION'

/**
 * The configurations that filters of the proxy's listeners ask for by name (ECDS): Wasm modules, and what EnvoyFilters add with EXTENSION_CONFIG. A remote
 * module is fetched by the proxy's agent, which rewrites its place. Secrets for private registries are not sent.
 */
export function extensionConfigs(build: Build): readonly TypedExtensionConfig[] {
  const modules = extensionsOf(build).flatMap((extension) => {
    const { name, wasm, source } = extension
    if (wasm === undefined) return []
    const config = { name, typed_config: wasmFilter(extension, wasm) }
    return [build.origins.mark(config, source)]
  })
  const context =
    build.proxy.type === 'sidecar' ? ['SIDECAR_INBOUND' as const, 'SIDECAR_OUTBOUND' as const] : ['GATEWAY' as const]
  const patches = new Set(context.flatMap((one) => patchesOf(build).of('EXTENSION_CONFIG', one)))
  const added = [...patches]
    .filter(({ operation }) => operation === 'ADD')
    .map(({ value, source }) => build.origins.mark({ ...value } as TypedExtensionConfig, source))
  return [...modules, ...added]
}

function wasmFilter({ name, network }: Extension, wasm: WasmModuleFields): ReturnType<typeof typed> {
  const { pluginConfig, failStrategy, pluginName = '', vmConfig } = wasm
  const hosts = (vmConfig?.env ?? []).filter(({ valueFrom }) => valueFrom === 'HOST').map((variable) => variable.name)
  const inline = (vmConfig?.env ?? []).filter(({ valueFrom }) => valueFrom !== 'HOST')
  const config = defined({
    name,
    root_id: pluginName === '' ? undefined : pluginName,
    configuration:
      pluginConfig === undefined || Object.keys(pluginConfig).length === 0
        ? undefined
        : typed('google.protobuf.StringValue', { value: JSON.stringify(pluginConfig) }),
    failure_policy: failStrategy === 'FAIL_OPEN' || failStrategy === 'FAIL_RELOAD' ? failStrategy : ('FAIL_CLOSED' as const),
    vm_config: {
      runtime: 'envoy.wasm.runtime.v8',
      code: codeOf(wasm),
      environment_variables: defined({
        key_values: {
          ...(wasm.imagePullPolicy === undefined || wasm.imagePullPolicy === 'UNSPECIFIED_POLICY'
            ? {}
            : { [POLICY_VARIABLE]: wasm.imagePullPolicy }),
          [VERSION_VARIABLE]: '',
          ...Object.fromEntries(inline.map((variable) => [variable.name, variable.value ?? ''])),
        },
        host_env_keys: hosts.length === 0 ? undefined : hosts,
      }),
    },
  })
  return typed(`envoy.extensions.filters.${network ? 'network' : 'http'}.wasm.v3.Wasm`, { config })
}

/** A file of the proxy's own, or a place to fetch from: an OCI registry where no scheme says another. The cluster is the agent's to replace. */
function codeOf({ url, sha256 = '' }: WasmModuleFields): object {
  if (url.startsWith('file://')) return { local: { filename: url.slice('file://'.length) } }
  const uri = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `oci://${url}`
  return {
    remote: defined({
      http_uri: { uri, cluster: '_', timeout: FETCH_TIMEOUT },
      sha256: sha256 === '' ? undefined : sha256,
    }),
  }
}
