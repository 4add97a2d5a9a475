import { CODE } from '../checks/code.js'
import { checkMatchLabels } from '../checks/labels.js'
import { fields } from '../decode/fields.js'
import { into, refuse } from '../decode/site.js'
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
  validate({ spec }, at) {
    checkMatchLabels(spec.selector, at, 'selector')
    if ((spec.concurrency ?? 0) < 0) refuse(into(at, 'concurrency'), CODE.range, 'concurrency must be greater than or equal to 0')
  },
})
