import type { Container, PodSpec } from '../kubernetes.js'
import { CORE_DUMP_CONTAINER, INIT_CONTAINER, PROXY_CONTAINER, VALIDATION_CONTAINER } from './names.js'

/**
 * The order in which containers start. An ordinary proxy comes last, so that `kubectl exec` means the app, or first when the app is held;
 * capture comes after the app's own init containers, which need the network. A native sidecar comes before them, right after capture.
 */
export function orderContainers(spec: PodSpec, hold: boolean, beforeProxy: readonly string[]): PodSpec {
  const containers = hold ? first(spec.containers, PROXY_CONTAINER) : last(spec.containers, PROXY_CONTAINER)
  let initContainers = spec.initContainers
  if (initContainers?.some(({ name }) => name === PROXY_CONTAINER)) {
    for (const name of [
      CORE_DUMP_CONTAINER,
      PROXY_CONTAINER,
      ...[...beforeProxy].reverse(),
      VALIDATION_CONTAINER,
      INIT_CONTAINER,
    ]) {
      initContainers = first(initContainers, name)
    }
  } else {
    initContainers = last(last(first(initContainers, VALIDATION_CONTAINER), INIT_CONTAINER), CORE_DUMP_CONTAINER)
  }
  return { ...spec, ...(containers !== undefined && { containers }), ...(initContainers !== undefined && { initContainers }) }
}

function first(containers: Container[] | undefined, name: string): Container[] | undefined {
  return containers?.toSorted((a, b) => Number(b.name === name) - Number(a.name === name))
}

function last(containers: Container[] | undefined, name: string): Container[] | undefined {
  return containers?.toSorted((a, b) => Number(a.name === name) - Number(b.name === name))
}
