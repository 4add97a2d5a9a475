import { type LabelSelector, matchesSelector } from '@heddle/config-model'
import type { Metadata, PodTemplate } from './kubernetes.js'
import type { InjectOptions } from './options.js'

/** Whether a pod gets a proxy, and why. */
export interface Decision {
  inject: boolean
  /** Stable: `host_network`, `ignored_namespace`, `not_selected`, `pod_disabled`, `pod_enabled`, `never_selector`, `always_selector`, `policy`, `no_pod_template`. */
  code: string
  /** For people: `namespace kube-system is ignored`. */
  reason: string
}

/** Namespaces that Istio never injects. */
export const IGNORED_NAMESPACES: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']

// YAML 1.1's words for true, as Istio reads the label and the annotation.
const YES = new Set(['y', 'yes', 'true', 'on'])

/** Istio's order: host network, ignored namespaces, the webhook's selectors (with `namespaceLabels`), the pod's own word, never, always, policy. */
export function decide(pod: PodTemplate, namespace: string, options: InjectOptions = {}): Decision {
  const no = (code: string, reason: string): Decision => ({ inject: false, code, reason })
  const yes = (code: string, reason: string): Decision => ({ inject: true, code, reason })
  const labels = pod.metadata?.labels ?? {}
  if (pod.spec?.hostNetwork === true) return no('host_network', 'the pod uses the host network')
  if (IGNORED_NAMESPACES.includes(namespace)) return no('ignored_namespace', `namespace ${namespace} is ignored`)
  if (options.namespaceLabels !== undefined) {
    const why = unselected(options.namespaceLabels, labels, options.revision ?? 'default')
    if (why !== undefined) return no('not_selected', why)
  }
  const own = ownWord(pod.metadata)
  if (own !== undefined) {
    const [source, value] = own
    const said = `${source} sidecar.istio.io/inject is ${JSON.stringify(value)}`
    return YES.has(value.toLowerCase()) ? yes('pod_enabled', said) : no('pod_disabled', said)
  }
  if (options.neverInjectSelector?.some((selector) => matches(selector, labels)))
    return no('never_selector', 'the labels match neverInjectSelector')
  if (options.alwaysInjectSelector?.some((selector) => matches(selector, labels)))
    return yes('always_selector', 'the labels match alwaysInjectSelector')
  const policy = options.policy ?? 'enabled'
  return policy === 'enabled'
    ? yes('policy', 'the policy is enabled')
    : no('policy', 'the policy is disabled and the pod does not ask')
}

/** The label counts before the annotation; an empty word is none. */
function ownWord(metadata: Metadata | undefined): [source: string, value: string] | undefined {
  const name = 'sidecar.istio.io/inject'
  const label = metadata?.labels?.[name]
  if (label != null) return label === '' ? undefined : ['label', String(label)]
  const value = metadata?.annotations?.[name]
  return value == null || value === '' ? undefined : ['annotation', String(value)]
}

/** Why the webhooks of Istio's chart leave a pod out; undefined when one takes it. */
function unselected(
  namespace: Readonly<Record<string, string>>,
  pod: Readonly<Record<string, string>>,
  revision: string,
): string | undefined {
  const injection = namespace['istio-injection']
  const namespaceRevision = namespace['istio.io/rev']
  const inject = pod['sidecar.istio.io/inject']
  const podRevision = pod['istio.io/rev']
  if (inject === 'false') return 'label sidecar.istio.io/inject is "false"'
  if (injection !== undefined) {
    if (injection !== 'enabled') return `the namespace has istio-injection=${injection}`
    return revision === 'default'
      ? undefined
      : `the namespace has istio-injection=enabled, which belongs to revision default, not ${revision}`
  }
  if (namespaceRevision !== undefined)
    return namespaceRevision === revision ? undefined : `the namespace belongs to revision ${namespaceRevision}, not ${revision}`
  if (podRevision !== undefined)
    return podRevision === revision ? undefined : `the pod belongs to revision ${podRevision}, not ${revision}`
  if (inject === 'true' && revision === 'default') return undefined
  return 'neither namespace nor pod asks for injection'
}

/** An empty selector selects nothing here, as in Istio. */
function matches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector
  return Object.keys(matchLabels).length + matchExpressions.length > 0 && matchesSelector(selector, labels)
}
