import type { InjectOptions } from './options.js'
import { DEFAULT_VALUES, type InjectionValues, resolveValues } from './values.js'

/** Values of Istio 1.0's chart, where they differ from today's. */
const LEGACY_VALUES: InjectionValues = resolveValues({
  global: {
    hub: 'istio',
    tag: '1.0.0',
    imagePullPolicy: 'IfNotPresent',
    proxy: { resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '2048Mi' } } },
    proxy_init: { image: 'proxy_init' },
  },
  sidecarInjectorWebhook: { rewriteAppHTTPProbe: false },
})

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
