import type { InjectOptions } from './options.js'
import { DEFAULT_VALUES, type InjectionValues, type ProxyValues, resolveValues } from './values.js'

/** Values of Istio 1.0's chart, where they differ from today's. */
const LEGACY_VALUES: InjectionValues = withResources(
  resolveValues({
    global: { hub: 'istio', tag: '1.0.0', imagePullPolicy: 'IfNotPresent', proxy_init: { image: 'proxy_init' } },
    sidecarInjectorWebhook: { rewriteAppHTTPProbe: false },
  }),
  { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '2048Mi' } },
)

/** In the place of the defaults, not laid over them: 1.0 limited no CPU. */
function withResources({ global, ...values }: InjectionValues, resources: ProxyValues['resources']): InjectionValues {
  return { ...values, global: { ...global, proxy: { ...global.proxy, resources } } }
}

/** What a profile changes; the caller's own options count first. */
export function withProfile(options: InjectOptions): InjectOptions & { readonly defaults: InjectionValues } {
  if (options.profile !== '1.0') return { ...options, defaults: DEFAULT_VALUES }
  return {
    // Neither native sidecars nor merged metrics were there.
    nativeSidecars: false,
    defaultTemplates: ['1.0'],
    ...options,
    meshConfig: { enablePrometheusMerge: false, ...options.meshConfig },
    defaults: LEGACY_VALUES,
  }
}
