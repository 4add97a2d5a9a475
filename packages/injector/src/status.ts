import type { Container, PodTemplate } from './kubernetes.js'

/** What an injection added, as annotation `sidecar.istio.io/status` tells it. */
export interface InjectionStatus {
  initContainers: readonly string[]
  containers: readonly string[]
}

export const STATUS_ANNOTATION = 'sidecar.istio.io/status'

/** The containers that the user gave in part, so that another injection finds them again. */
export interface Overrides {
  containers: readonly Container[]
  initContainers: readonly Container[]
}

export const OVERRIDES_ANNOTATION = 'proxy.istio.io/overrides'

/** The annotation's JSON for a rendered template. */
export function writeStatus(template: PodTemplate, revision: string): string {
  const names = (list: readonly { name: string }[] | undefined): string[] | null => {
    const all = (list ?? []).map(({ name }) => name)
    return all.length === 0 ? null : all
  }
  const { initContainers, containers, volumes, imagePullSecrets } = template.spec ?? {}
  return JSON.stringify({
    initContainers: names(initContainers),
    containers: names(containers),
    volumes: names(volumes),
    imagePullSecrets: names(imagePullSecrets),
    revision,
  })
}

/** The status of an earlier injection; undefined without one, and for one that cannot be read, as in Istio. */
export function readStatus(pod: PodTemplate): InjectionStatus | undefined {
  const status = parse(pod.metadata?.annotations?.[STATUS_ANNOTATION])
  if (status === undefined) return undefined
  const names = (list: unknown): string[] => (Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [])
  return { initContainers: names(status['initContainers']), containers: names(status['containers']) }
}

/** Overrides of an earlier injection; none where the annotation cannot be read. */
export function readOverrides(pod: PodTemplate): Overrides {
  const overrides = parse(pod.metadata?.annotations?.[OVERRIDES_ANNOTATION]) ?? {}
  const list = (value: unknown): Container[] =>
    Array.isArray(value) ? value.filter((item): item is Container => typeof (item as Container | null)?.name === 'string') : []
  return { containers: list(overrides['containers']), initContainers: list(overrides['initContainers']) }
}

export function writeOverrides({ containers, initContainers }: Overrides): string {
  return JSON.stringify({ ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) })
}

function parse(text: string | undefined): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
