import type { Result } from '@heddle/runtime'
import { fields } from '../decode/fields.js'
import { rootSite } from '../decode/site.js'
import { type Decode, listOf, mapOf, text, uint32 } from '../decode/value.js'
import { loadDocument } from '../yaml/load.js'

/** MeshNetworks (istio.mesh.v1alpha1): which endpoints are in which network, and the gateways into it. */
export interface MeshNetworks {
  networks: Readonly<Record<string, MeshNetwork>>
}

export interface MeshNetwork {
  /** Of clusters (`fromRegistry`) and address ranges (`fromCidr`). */
  endpoints?: readonly { fromRegistry?: string; fromCidr?: string }[]
  gateways?: readonly MeshNetworkGateway[]
}

export interface MeshNetworkGateway {
  /** An IP address; names are not resolved. */
  address?: string
  /** A Service whose load balancer is the gateway. */
  registryServiceName?: string
  port: number
  locality?: string
}

const meshNetworks: Decode<MeshNetworks> = fields<MeshNetworks>(
  {
    networks: mapOf(
      fields<MeshNetwork>({
        endpoints: listOf(fields<{ fromRegistry?: string; fromCidr?: string }>({ fromRegistry: text, fromCidr: text })),
        gateways: listOf(
          fields<MeshNetworkGateway>(
            { address: text, registryServiceName: text, port: uint32, locality: text },
            { defaults: { port: 0 } },
          ),
        ),
      }),
    ),
  },
  { defaults: { networks: {} } },
)

export const NO_NETWORKS: MeshNetworks = { networks: {} }

/** Reads `data.meshNetworks` of the ConfigMap `istio`. Code `config.yaml`, and those of fields. */
export function readMeshNetworks(yaml: string): Result<MeshNetworks> {
  const loaded = loadDocument(yaml.trim() === '' ? '{}' : yaml)
  if (!loaded.ok) {
    const message = `not valid YAML: ${loaded.message} (line ${loaded.line}, column ${loaded.column})`
    return { ok: false, diagnostics: [{ code: 'config.yaml', severity: 'error', path: '', message }] }
  }
  const root = rootSite()
  const value = meshNetworks(loaded.value, root)
  const failed = value === undefined || root.found.some(({ severity }) => severity === 'error')
  return failed ? { ok: false, diagnostics: root.found } : { ok: true, value, diagnostics: root.found }
}
