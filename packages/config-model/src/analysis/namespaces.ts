import type { ConfigObject } from './object.js'
import { containersOf, PROXY_CONTAINER, type Workload } from './workloads.js'

const INJECT = 'sidecar.istio.io/inject'

/** Whether the workload has a sidecar, or will get one: the proxy itself, else its own label or annotation, else its namespace's label. */
export function isInMesh(
  workload: Pick<Workload, 'labels' | 'annotations' | 'spec'>,
  namespace: ConfigObject | undefined,
): boolean {
  const proxy = containersOf(workload.spec).find(({ name }) => name === PROXY_CONTAINER)
  if ((proxy?.image ?? '') !== '') return true
  const asked = workload.labels[INJECT] ?? workload.annotations[INJECT]
  return asked === undefined ? namespace?.metadata.labels['istio-injection'] === 'enabled' : asked === 'true'
}

/** A pod whose traffic ztunnel has taken over. */
export function isAmbient(workload: Pick<Workload, 'annotations'>): boolean {
  return workload.annotations['ambient.istio.io/redirection'] === 'enabled'
}

/** A namespace whose workloads are in ambient mode: the label, and no sidecar injection. */
export function isAmbientNamespace(namespace: ConfigObject | undefined): boolean {
  const labels = namespace?.metadata.labels ?? {}
  if (labels['istio-injection'] === 'enabled' || (labels['istio.io/rev'] ?? '') !== '') return false
  return labels['istio.io/dataplane-mode'] === 'ambient'
}

/** Part of an Istio installation, by its labels. */
export function isControlPlane({ metadata }: ConfigObject): boolean {
  return metadata.labels['istio'] !== undefined || metadata.labels['release'] === 'istio'
}
