import { type Collection, join } from '@heddle/runtime'
import type { KindCollections } from '../catalog/sources.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import { convertGatewayApi } from './gateway-api/index.js'
import type { ConversionSources } from './gateway-api/inputs.js'
import { convertIngress } from './ingress/index.js'
import type { ResourceStatus } from './status.js'

export interface ConvertOptions extends ConversionSources {
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
}

/** What a mesh consists of: what is written in Istio's kinds, and what follows from the Gateway API and from Ingress objects. */
export interface EffectiveConfig {
  readonly kinds: KindCollections
  /** By key. */
  readonly statuses: Collection<ResourceStatus>
}

/** Istio's kinds as they hold; where names are the same the written object counts. */
export function effectiveConfig(options: ConvertOptions): EffectiveConfig {
  const { sources } = options
  const gatewayApi = convertGatewayApi(options)
  const ingress = convertIngress(options)
  return {
    kinds: {
      ...sources,
      Gateway: join([sources.Gateway, gatewayApi.gateways, ingress.gateways], { name: 'config.Gateway.effective' }),
      VirtualService: join([sources.VirtualService, gatewayApi.virtualServices, ingress.virtualServices], {
        name: 'config.VirtualService.effective',
      }),
      DestinationRule: join([sources.DestinationRule, gatewayApi.destinationRules], { name: 'config.DestinationRule.effective' }),
    },
    statuses: join([gatewayApi.statuses, ingress.statuses], { name: 'config.statuses' }),
  }
}
