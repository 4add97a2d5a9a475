import type { Container, PodSpec, PodTemplate } from './kubernetes.js'
import { strategicMerge } from './merge.js'
import { INIT_CONTAINER, PROXY_CONTAINER, VALIDATION_CONTAINER } from './parts/names.js'
import { interceptionMode } from './parts/proxy-container.js'
import { OVERRIDES_ANNOTATION, readOverrides, readStatus, writeOverrides } from './status.js'
import type { TemplateContext } from './templates/context.js'

type ListName = 'containers' | 'initContainers'

/** In place of an image, for a user's container that only changes something else of the injected one. */
const AUTO_IMAGE = 'auto'

/**
 * Lays the user's own containers over the injected ones of the same name, because the user's word counts more than the template's, and
 * notes them for a later injection. What an earlier injection added is not the user's.
 */
export function reapplyOwn(merged: PodTemplate, original: PodTemplate, template: PodTemplate): PodTemplate {
  const noted = readOverrides(original)
  const status = readStatus(original)
  const applied: Record<ListName, Container[]> = { containers: [], initContainers: [] }
  let spec = merged.spec ?? {}
  for (const list of ['containers', 'initContainers'] as const) {
    for (const rendered of template.spec?.[list] ?? []) {
      const { name } = rendered
      const again = byName(noted[list], name)
      const injected = status !== undefined && (status.containers.includes(name) || status.initContainers.includes(name))
      const own = again ?? (injected ? undefined : findContainer(original.spec, name))
      if (own === undefined) continue
      const { image, ...rest } = own
      const overlay: Container = image === undefined || image === AUTO_IMAGE ? rest : own
      applied[list].push(overlay)
      if (again !== undefined)
        spec = mapContainers(spec, (container) => (container.name === name ? withoutRewritten(container, rendered) : container))
      spec = strategicMerge(spec, { [list]: [overlay] })
    }
  }
  const result: PodTemplate = { ...merged, spec }
  if (applied.containers.length + applied.initContainers.length === 0 || status !== undefined) return result
  const annotations = { ...merged.metadata?.annotations, [OVERRIDES_ANNOTATION]: writeOverrides(applied) }
  return { ...result, metadata: { ...merged.metadata, annotations } }
}

/** Takes back the probes and hooks that an earlier injection turned to the agent: the user's would only be mixed into them. */
function withoutRewritten(container: Container, rendered: Container): Container {
  if (container.name === PROXY_CONTAINER) return container
  const { readinessProbe: _r, livenessProbe: _l, startupProbe: _s, lifecycle: _h, ...rest } = container
  const { readinessProbe, livenessProbe, startupProbe, lifecycle } = rendered
  return strategicMerge(rest, { readinessProbe, livenessProbe, startupProbe, lifecycle })
}

/** Makes capture leave alone the user under which the proxy really runs; under TPROXY the proxy must run as root. */
export function alignProxyUser(pod: PodTemplate, original: PodTemplate, context: TemplateContext): PodTemplate {
  const noted = readOverrides(original)
  const again = readStatus(original) !== undefined
  const own = again
    ? byName([...noted.containers, ...noted.initContainers], PROXY_CONTAINER)
    : findContainer(original.spec, PROXY_CONTAINER)
  const { runAsUser, runAsGroup } = own?.securityContext ?? {}
  if (runAsUser === undefined && runAsGroup === undefined) return pod
  const tproxy = interceptionMode(context) === 'TPROXY'
  const align = (container: Container): Container => {
    if (container.name === PROXY_CONTAINER && tproxy && runAsUser !== undefined) {
      return { ...container, securityContext: { ...container.securityContext, runAsUser: 0 } }
    }
    if (container.name !== INIT_CONTAINER && container.name !== VALIDATION_CONTAINER) return container
    const args = runAsUser === undefined || runAsUser === 0 ? container.args : withUser(container.args, runAsUser)
    const checks = container.name === VALIDATION_CONTAINER && !tproxy
    const user = { ...(runAsUser !== undefined && { runAsUser }), ...(runAsGroup !== undefined && { runAsGroup }) }
    return {
      ...container,
      ...(args !== undefined && { args }),
      ...(checks && { securityContext: { ...container.securityContext, ...user } }),
    }
  }
  return { ...pod, spec: mapContainers(pod.spec ?? {}, align) }
}

/** The value after `-u`. */
function withUser(args: readonly string[] | undefined, user: number): string[] | undefined {
  return args?.map((arg, i) => (args[i - 1] === '-u' ? String(user) : arg))
}

export function mapContainers(spec: PodSpec, change: (container: Container) => Container): PodSpec {
  const { containers, initContainers } = spec
  return {
    ...spec,
    ...(containers !== undefined && { containers: containers.map(change) }),
    ...(initContainers !== undefined && { initContainers: initContainers.map(change) }),
  }
}

/** Moves the user's containers to where the template has them: istio-proxy, say, among the init containers of a native sidecar. */
export function alignLists(pod: PodTemplate, template: PodTemplate): PodTemplate {
  let spec = pod.spec ?? {}
  for (const [list, other] of [
    ['containers', 'initContainers'],
    ['initContainers', 'containers'],
  ] as const) {
    for (const { name } of template.spec?.[list] ?? []) {
      const own = byName(spec[other], name)
      if (own === undefined) continue
      spec = { ...spec, [other]: spec[other]?.filter((container) => container !== own), [list]: [...(spec[list] ?? []), own] }
    }
  }
  return spec === pod.spec ? pod : { ...pod, spec }
}

export function findContainer(spec: PodSpec | undefined, name: string): Container | undefined {
  return byName(spec?.containers, name) ?? byName(spec?.initContainers, name)
}

function byName(containers: readonly Container[] | undefined, name: string): Container | undefined {
  return containers?.find((container) => container.name === name)
}
