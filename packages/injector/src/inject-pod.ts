import { fail, ok, problem, type Result } from '@heddle/runtime'
import { checkAnnotations } from './annotations.js'
import type { Container, EnvVar, PodSpec, PodTemplate } from './kubernetes.js'
import { strategicMerge } from './merge.js'
import type { InjectOptions } from './options.js'
import { alignLists, alignProxyUser, findContainer, mapContainers, reapplyOwn } from './overrides.js'
import { placeEnv } from './parts/environment.js'
import { PROXY_CONTAINER } from './parts/names.js'
import { orderContainers } from './parts/order.js'
import { PROBERS_ENV, type Probers, probePort, rewriteProbes, withProbers } from './parts/probes.js'
import { mergeMetrics, pointsAtAgent, SCRAPING_ENV, withoutPrometheus } from './parts/prometheus.js'
import { withProfile } from './profiles.js'
import { PROXY_CONFIG_ANNOTATION, podProxyConfig } from './proxy-config.js'
import { checkShape } from './shape.js'
import { readOverrides, readStatus, STATUS_ANNOTATION, writeStatus } from './status.js'
import type { InjectionTemplate, TemplateContext } from './templates/context.js'
import { BUILT_IN_TEMPLATES } from './templates/index.js'
import { resolveValues } from './values.js'
import type { Owner } from './workload.js'

/** The injected pod. Whether it should be injected was decided before. The input does not change. */
export function injectPod(original: PodTemplate, owner: Owner, given: InjectOptions): Result<PodTemplate> {
  const options = withProfile(given)
  const misshapen = checkShape(original)
  if (misshapen.length > 0) return fail(...misshapen)
  const wrong = checkAnnotations(original.metadata)
  if (wrong.length > 0) return fail(...wrong)
  const meshConfig = options.meshConfig ?? {}
  const proxyConfig = podProxyConfig(meshConfig, original.metadata?.annotations?.[PROXY_CONFIG_ANNOTATION])
  const templates = selectTemplates(original, options)
  if (!proxyConfig.ok || !templates.ok) return fail(...proxyConfig.diagnostics, ...templates.diagnostics)

  const bare = withoutInjected(original, meshConfig)
  const native = original.metadata?.annotations?.['sidecar.istio.io/nativeSidecar']
  const context: TemplateContext = {
    metadata: bare.metadata ?? {},
    spec: bare.spec ?? {},
    owner,
    values: resolveValues(options.values, options.defaults),
    meshConfig,
    proxyConfig: proxyConfig.value,
    revision: options.revision ?? 'default',
    nativeSidecar: native === undefined ? (options.nativeSidecars ?? true) : native !== 'false',
  }
  let template: PodTemplate = {}
  let pod = original
  for (const render of templates.value) {
    const overlay = render(context)
    template = strategicMerge(template, overlay)
    pod = strategicMerge(alignLists(pod, template), overlay)
  }
  pod = alignProxyUser(reapplyOwn(pod, original, template), original, context)
  const annotated = options.injectedAnnotations === undefined ? {} : { metadata: { annotations: options.injectedAnnotations } }
  return ok(finish(strategicMerge(pod, annotated), template, context))
}

function selectTemplates({ metadata }: PodTemplate, options: InjectOptions): Result<InjectionTemplate[]> {
  const asked = metadata?.annotations?.['inject.istio.io/templates']
  const names = (asked?.split(',').map((name) => name.trim()) ?? options.defaultTemplates ?? ['sidecar']).flatMap(
    (name) => options.aliases?.[name] ?? [name],
  )
  const known: Readonly<Record<string, InjectionTemplate>> = { ...BUILT_IN_TEMPLATES, ...options.templates }
  const missing = names.find((name) => !Object.hasOwn(known, name))
  if (missing === undefined) return ok(names.map((name) => known[name]!))
  return fail(
    problem(
      'inject.unknown_template',
      'metadata.annotations["inject.istio.io/templates"]',
      `There is no template ${JSON.stringify(missing)}; there are ${Object.keys(known).join(', ')}.`,
    ),
  )
}

/**
 * The pod as templates look at it, the same in the first injection and in the next: without what an earlier one added, the user's own
 * istio-proxy last among the containers wherever it stands.
 */
function withoutInjected(pod: PodTemplate, meshConfig: TemplateContext['meshConfig']): PodTemplate {
  const status = readStatus(pod)
  const { containers = [], initContainers = [] } = pod.spec ?? {}
  if (status === undefined) return { metadata: pod.metadata ?? {}, spec: proxyLast(pod.spec ?? {}, containers, initContainers) }
  const noted = readOverrides(pod)
  const { [STATUS_ANNOTATION]: _status, ...others } = pod.metadata?.annotations ?? {}
  const annotations = pointsAtAgent(pod.metadata ?? {}, meshConfig) ? withoutPrometheus(others) : others
  const own = [...containers.filter(({ name }) => !status.containers.includes(name)), ...noted.containers]
  const ownInit = [...initContainers.filter(({ name }) => !status.initContainers.includes(name)), ...noted.initContainers]
  return { metadata: { ...pod.metadata, annotations }, spec: proxyLast(pod.spec ?? {}, own, ownInit) }
}

function proxyLast(spec: PodSpec, containers: readonly Container[], initContainers: readonly Container[]): PodSpec {
  const isProxy = ({ name }: Container): boolean => name === PROXY_CONTAINER
  const others = containers.filter((container) => !isProxy(container))
  const proxies = [...containers, ...initContainers].filter(isProxy)
  return {
    ...spec,
    containers: [...others, ...proxies],
    initContainers: initContainers.filter((container) => !isProxy(container)),
  }
}

/** What no template can do: it depends on the merged pod. */
function finish(pod: PodTemplate, template: PodTemplate, context: TemplateContext): PodTemplate {
  const { values, meshConfig, proxyConfig, metadata, revision } = context
  const scraping = mergeMetrics(pod.metadata ?? {}, meshConfig)
  const network = metadata.labels?.['topology.istio.io/network'] ?? values.global.network
  const before = (metadata.annotations?.['sidecar.istio.io/init-containers-before-proxy'] ?? '')
    .split(',')
    .filter((name) => name !== '')
  const hold = proxyConfig.holdApplicationUntilProxyStarts === true || values.global.proxy.holdApplicationUntilProxyStarts
  const spec = finishProxy(pod, context, placeEnv(values, network), scraping?.env ?? [])
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata?.labels, ...(network !== '' && { 'topology.istio.io/network': network }) },
      annotations: {
        ...(scraping?.annotations ?? pod.metadata?.annotations),
        [STATUS_ANNOTATION]: writeStatus(template, revision),
      },
    },
    spec: orderContainers(spec, hold, before),
  }
}

/** Turns the app's probes to the agent, and tells the proxy what only the whole pod knows: last in its environment, in this order. */
function finishProxy(pod: PodTemplate, context: TemplateContext, place: readonly EnvVar[], scraping: readonly EnvVar[]): PodSpec {
  const spec = pod.spec ?? {}
  if (findContainer(spec, PROXY_CONTAINER) === undefined) return spec
  const probers: Probers = {}
  const port = probePort(pod, context.values, context.meshConfig)
  const probed = port === undefined ? spec : mapContainers(spec, (container) => rewriteProbes(container, port, probers))
  return mapContainers(probed, (container) => {
    if (container.name !== PROXY_CONTAINER) return container
    const env = container.env ?? []
    const agents = env.filter(({ name }) => name === PROBERS_ENV || name === SCRAPING_ENV)
    const others = env.filter((item) => !agents.includes(item) && !place.some(({ name }) => name === item.name))
    return withProbers({ ...container, env: [...others, ...place, ...agents, ...scraping] }, probers)
  })
}
