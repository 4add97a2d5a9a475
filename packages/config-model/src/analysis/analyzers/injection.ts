import { isRecord } from '../../decode/value.js'
import { loadDocument } from '../../yaml/load.js'
import type { Analyzer } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import { fullName } from '../object.js'
import { containersOf, PROXY_CONTAINER } from '../workloads.js'

const INJECTION = 'istio-injection'
const REVISION = 'istio.io/rev'
const DATAPLANE = 'istio.io/dataplane-mode'
const INJECT = 'sidecar.istio.io/inject'

/** Namespaces that are injected or not, and pods that should have a proxy and have none. */
export const injection: Analyzer = {
  name: 'injection.Analyzer',
  summary: 'namespaces without injection or with two kinds of it, and pods that miss their proxy',
  messages: ['NamespaceNotInjected', 'NamespaceInjectionEnabledByDefault', 'NamespaceMultipleInjectionLabels', 'PodMissingProxy'],
  analyze(context, report) {
    const injected = new Set<string>()
    for (const namespace of context.of('Namespace')) {
      const { name, labels } = namespace.metadata
      if (name === context.meshConfig.rootNamespace) continue
      const { [INJECTION]: label = '', [REVISION]: revision, [DATAPLANE]: mode } = labels
      // Somebody has decided against it.
      if (label === 'disabled') continue
      const asked = [label !== '' && INJECTION, revision !== undefined && REVISION, mode === 'ambient' && DATAPLANE].filter(
        (one) => one !== false,
      )
      if (asked.length > 1) report('NamespaceMultipleInjectionLabels', namespace, 'metadata.name', asked)
      else if (asked.length === 1) {
        if (label === 'enabled' || revision !== undefined) injected.add(name)
      } else if (injectsByDefault(context)) report('NamespaceInjectionEnabledByDefault', namespace, '')
      else report('NamespaceNotInjected', namespace, 'metadata.name', name, name)
    }
    for (const pod of context.of('Pod')) {
      const { namespace, labels, annotations } = pod.metadata
      if (!injected.has(namespace) || pod.spec.hostNetwork === true) continue
      if ((labels[INJECT] ?? annotations[INJECT] ?? '').toLowerCase() === 'false') continue
      const proxy = containersOf(pod.spec).find(({ name }) => name === PROXY_CONTAINER)
      if ((proxy?.image ?? '') === '') report('PodMissingProxy', pod, '', fullName(pod))
    }
  },
}

// `sidecarInjectorWebhook.enableNamespacesByDefault` in the values of the injector of the default revision.
function injectsByDefault(context: AnalysisContext): boolean {
  const map = context.of('ConfigMap').find(({ metadata }) => metadata.name === 'istio-sidecar-injector')
  const values = injectorValues(map?.spec.data)
  const webhook = values['sidecarInjectorWebhook']
  return isRecord(webhook) && webhook['enableNamespacesByDefault'] === true
}

/** The chart values in the ConfigMap of an injector; none when they cannot be read. */
export function injectorValues(data: Readonly<Record<string, string>> | undefined): Readonly<Record<string, unknown>> {
  const loaded = loadDocument(data?.['values'] ?? '{}')
  return loaded.ok && isRecord(loaded.value) ? loaded.value : {}
}
