import { isRecord } from '../../decode/value.js'
import type { PodSpec } from '../../kinds/kubernetes/pod.js'
import type { ProxyConfigSpec } from '../../kinds/proxy-config.js'
import { selects } from '../../names/labels.js'
import { loadDocument } from '../../yaml/load.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import type { ConfigObject } from '../object.js'
import { containersOf, PROXY_CONTAINER } from '../workloads.js'
import { injectorValues } from './injection.js'

const INJECTOR = 'istio-sidecar-injector'

/** Pods whose proxy is of another image than the injector gives now: they want a restart. */
export const injectionImage: Analyzer = {
  name: 'injection.ImageAnalyzer',
  summary: 'proxies of another image than the injector gives',
  messages: ['PodsIstioProxyImageMismatchInNamespace'],
  analyze(context, report) {
    const images = new Map<string, string>()
    for (const map of context.of('ConfigMap'))
      if (map.metadata.name.startsWith(INJECTOR)) images.set(map.metadata.name, imageOf(injectorValues(map.spec.data)))
    for (const namespace of context.of('Namespace')) {
      const injector = injectorOf(namespace)
      const image = injector === undefined ? undefined : images.get(injector)
      if (image === undefined) continue
      const old = context.workloads
        .in(namespace.metadata.name)
        .all.flatMap(({ object, isPod }) => (isPod ? [object as ConfigObject<PodSpec>] : []))
        .filter((pod) => hasOther(pod, image, imageType(pod, context)))
      if (old.length > 0)
        report(
          'PodsIstioProxyImageMismatchInNamespace',
          namespace,
          '',
          old.map(({ metadata }) => metadata.name),
        )
    }
  },
}

function injectorOf({ metadata: { labels } }: ConfigObject): string | undefined {
  const revision = labels['istio.io/rev'] ?? (labels['istio-injection'] === 'enabled' ? 'default' : undefined)
  if (revision === undefined) return undefined
  return revision === '' || revision === 'default' ? INJECTOR : `${INJECTOR}-${revision}`
}

// As the injection template puts it together.
function imageOf(values: Readonly<Record<string, unknown>>): string {
  const global = isRecord(values['global']) ? values['global'] : {}
  const proxy = isRecord(global['proxy']) ? global['proxy'] : {}
  const image = String(proxy['image'] ?? '')
  return image.includes('/') ? image : `${String(global['hub'] ?? '')}/${image}:${String(global['tag'] ?? '')}`
}

function hasOther({ metadata, spec }: ConfigObject<PodSpec>, image: string, type: string): boolean {
  // It asks for an image of its own.
  if ((metadata.annotations['sidecar.istio.io/proxyImage'] ?? '') !== '') return false
  const proxies = containersOf(spec).filter(({ name }) => name === PROXY_CONTAINER)
  return proxies.some((proxy) => proxy.image !== image && proxy.image !== `${image}-${type}`)
}

// The most particular that says one: mesh config, root namespace, namespace, workload, annotation.
function imageType(pod: ConfigObject<PodSpec>, { meshConfig, of }: AnalysisContext): string {
  const { namespace, labels, annotations } = pod.metadata
  const configs = of('ProxyConfig')
  const root = configs.filter(({ metadata }) => metadata.namespace === meshConfig.rootNamespace)
  const own = configs.filter(({ metadata }) => metadata.namespace === namespace && namespace !== meshConfig.rootNamespace)
  const whole = own.filter(({ spec }) => spec.selector === undefined)
  const selected = own.filter(({ spec }) => spec.selector !== undefined && selects(spec.selector.matchLabels, labels))
  const types = [...root, ...whole, ...selected].map(({ spec }: ConfigObject<ProxyConfigSpec>) => spec.image?.imageType)
  const written = [meshConfig.defaultConfig.image?.imageType, ...types, annotatedType(annotations['proxy.istio.io/config'])]
  const last = written.filter((type) => type !== undefined && type !== '').at(-1) ?? ''
  return last === 'default' ? '' : last
}

function annotatedType(annotation: string | undefined): string | undefined {
  const loaded = loadDocument(annotation ?? '{}')
  const image = loaded.ok && isRecord(loaded.value) ? loaded.value['image'] : undefined
  return isRecord(image) && typeof image['imageType'] === 'string' ? image['imageType'] : undefined
}
