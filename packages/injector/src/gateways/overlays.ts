import type { KubernetesGateway } from '@heddle/config-model'
import { equal, fail, ok, problem, type Result } from '@heddle/runtime'
import type { KubernetesObject } from '../kubernetes.js'
import { strategicMerge } from '../merge.js'
import { loadYaml } from '../yaml.js'

/** A ConfigMap of overlays: parts of the objects that are deployed for a Gateway, by {@link KEYS}. */
export interface Overlays {
  /** `ConfigMap shop/options` */
  readonly source: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The key of each kind. The last two are only deployed where an overlay asks for them. */
const KEYS: Readonly<Record<string, string>> = {
  Deployment: 'deployment',
  Service: 'service',
  ServiceAccount: 'serviceAccount',
  HorizontalPodAutoscaler: 'horizontalPodAutoscaler',
  PodDisruptionBudget: 'podDisruptionBudget',
}
const ON_DEMAND = new Set(['HorizontalPodAutoscaler', 'PodDisruptionBudget'])
const DEFAULTS_LABEL = 'gateway.istio.io/defaults-for-class'

/** The defaults of the Gateway's class (a ConfigMap of Istio's namespace), then what `infrastructure.parametersRef` names. */
export function overlaysOf(
  gateway: KubernetesGateway,
  istioNamespace: string,
  among: readonly KubernetesObject[],
): Result<Overlays[]> {
  const { metadata, spec } = gateway
  const configMaps = among.filter(({ kind }) => kind === 'ConfigMap')
  const [defaults] = configMaps
    .filter(({ metadata: at }) => at?.namespace === istioNamespace && at.labels?.[DEFAULTS_LABEL] === spec.gatewayClassName)
    .sort((a, b) => ageOf(a).localeCompare(ageOf(b)))
  const found = defaults === undefined ? [] : [overlays(defaults)]
  const reference = spec.infrastructure?.parametersRef
  if (reference === undefined) return ok(found)
  const path = 'spec.infrastructure.parametersRef'
  const { group = '', kind = '', name } = reference
  if (group !== '' || kind !== 'ConfigMap')
    return wrong(path, `parametersRef takes a ConfigMap, not ${kind} of group ${JSON.stringify(group)}`)
  const named = configMaps.find(
    (one) => one.metadata?.name === name && (one.metadata.namespace ?? 'default') === metadata.namespace,
  )
  if (named === undefined)
    return wrong(path, `there is no ConfigMap ${metadata.namespace}/${name}; give it together with the Gateway`)
  return ok([...found, overlays(named)])
}

const ageOf = ({ metadata }: KubernetesObject): string => String(metadata?.['creationTimestamp'] ?? '')

function overlays({ metadata, ...body }: KubernetesObject): Overlays {
  const data = body['data']
  return {
    source: `ConfigMap ${metadata?.namespace ?? 'default'}/${metadata?.name ?? ''}`,
    data: (data ?? {}) as Overlays['data'],
  }
}

function wrong<T = never>(path: string, why: string): Result<T> {
  return fail(problem('gateway.invalid_parameters', path, `${why}.`))
}

/** The object with the overlays merged into it, strategically; undefined: it is not to be deployed. */
export function withOverlays(object: KubernetesObject, list: readonly Overlays[]): Result<KubernetesObject | undefined> {
  const key = KEYS[object.kind ?? ''] ?? ''
  let merged: KubernetesObject = object
  let applied = false
  for (const { source, data } of list) {
    const unknown = Object.keys(data).find((name) => !Object.values(KEYS).includes(name))
    if (unknown !== undefined) return wrong('data', `${source} has a key ${unknown}; there are ${Object.values(KEYS).join(', ')}`)
    if (data[key] === undefined) continue
    const overlay = loadYaml(String(data[key]))
    if (!overlay.ok || typeof overlay.value !== 'object' || overlay.value === null || Array.isArray(overlay.value))
      return wrong(`data.${key}`, `${source}: ${key} is no YAML object`)
    merged = mergeObject(merged, overlay.value as KubernetesObject)
    applied = true
  }
  if (!sameIdentity(object, merged))
    return wrong(`data.${key}`, `an overlay of ${key} may set labels and annotations of metadata, nothing else of it`)
  return ok(applied || !ON_DEMAND.has(object.kind ?? '') ? merged : undefined)
}

/** Ports of a Service merge by their number, where a pod's merge by `containerPort`. */
function mergeObject(base: KubernetesObject, overlay: KubernetesObject): KubernetesObject {
  const merged = strategicMerge(base, overlay)
  const [own, more] = [portsOf(base), portsOf(overlay)]
  if (base.kind !== 'Service' || own === undefined || more === undefined) return merged
  const place = (port: unknown): number => own.findIndex((one) => one['port'] === port)
  const ports = own.map((one) => ({ ...one, ...more.find(({ port }) => port === one['port']) }))
  return { ...merged, spec: { ...(merged['spec'] as object), ports: [...ports, ...more.filter(({ port }) => place(port) < 0)] } }
}

function portsOf(service: KubernetesObject): Record<string, unknown>[] | undefined {
  const spec = service['spec'] as { ports?: unknown } | null | undefined
  return Array.isArray(spec?.ports) ? (spec.ports as Record<string, unknown>[]) : undefined
}

function sameIdentity(a: KubernetesObject, b: KubernetesObject): boolean {
  const identity = ({ apiVersion, kind, metadata }: KubernetesObject): object => {
    const { labels: _l, annotations: _a, ...rest } = metadata ?? {}
    return { apiVersion, kind, ...rest }
  }
  return equal(identity(a), identity(b))
}
