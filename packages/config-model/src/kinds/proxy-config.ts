import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'

/** networking.istio.io ProxyConfig, the resource; MeshConfig.defaultConfig is {@link ../kinds/mesh-config.js}. */
export interface ProxyConfigSpec {
  selector?: MatchLabelsSelector
  /** 0: all CPUs. */
  concurrency?: number
  environmentVariables?: Readonly<Record<string, string>>
  image?: { imageType?: string }
}

export type ProxyConfig = Resource<'ProxyConfig', ProxyConfigSpec>
