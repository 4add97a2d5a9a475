import { fields } from '../decode/fields.js'
import { int32, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { MatchLabelsSelector } from './common.js'
import { matchLabelsSelector, textMap } from './common.js'
import { defineKind, type Kind } from './kind.js'

/** networking.istio.io ProxyConfig, the resource; MeshConfig.defaultConfig is {@link ../kinds/mesh-config.js}. */
export interface ProxyConfigSpec {
  selector?: MatchLabelsSelector
  /** 0: all CPUs. */
  concurrency?: number
  environmentVariables?: Readonly<Record<string, string>>
  image?: { imageType?: string }
}

export type ProxyConfig = Resource<'ProxyConfig', ProxyConfigSpec>

export const proxyConfig: Kind<ProxyConfig> = defineKind<ProxyConfig>({
  name: 'ProxyConfig',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<ProxyConfigSpec>({
    selector: matchLabelsSelector,
    concurrency: int32,
    environmentVariables: textMap,
    image: fields<{ imageType?: string }>({ imageType: text }),
  }),
})
