import type { Read } from '@heddle/runtime'
import type { LabelSelector } from '../../kinds/common.js'
import type { NamespaceFilter } from '../../kinds/gateway-api/listener.js'
import type { Namespace } from '../../kinds/kubernetes/namespace.js'
import { matchesSelector } from '../../names/labels.js'
import type { Inputs } from './inputs.js'

/** Namespaces whose routes a listener takes, as Istio's Gateway names them: `*`, or names; none where the selector finds none. */
export function allowedNamespaces(
  filter: NamespaceFilter | undefined,
  own: string,
  inputs: Inputs,
  read: Read,
): readonly string[] {
  const from = filter?.from ?? 'Same'
  if (from === 'Same') return [own]
  if (from === 'None') return []
  const selector = filter?.selector
  if (from === 'All' || selector === undefined) return ['*']
  return read
    .all(inputs.sources.Namespace)
    .filter((namespace) => matches(selector, namespace))
    .map(({ metadata }) => metadata.name)
    .sort()
}

/** Whether a ListenerSet of that namespace may attach to a Gateway. */
export function acceptsListenerSets(
  filter: NamespaceFilter | undefined,
  gatewayNamespace: string,
  namespace: string,
  inputs: Inputs,
  read: Read,
): boolean {
  if (filter === undefined) return false
  const { from, selector } = filter
  if (from === 'All') return true
  if (from === 'Same') return namespace === gatewayNamespace
  if (from === 'None' || selector === undefined) return false
  const object = read.get(inputs.sources.Namespace, `/${namespace}`)
  return object !== undefined && matches(selector, object)
}

function matches(selector: LabelSelector, { metadata }: Namespace): boolean {
  return matchesSelector(selector, { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name })
}
