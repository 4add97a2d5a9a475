import {
  type AnyResource,
  decodeResource,
  type KindOf,
  type MeshSnapshot,
  type OriginIndex,
  type Pod,
  type ResourceKey,
  type Service,
  selects,
} from '@heddle/config-model'

type Controller = KindOf<(typeof CONTROLLERS)[number]>

const CONTROLLERS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

/**
 * Deployments, StatefulSets and DaemonSets of a configuration as a cluster would run them: pods with addresses, and VIPs for services. Pods that
 * are written without a status run too, and those that run take mTLS, as if they had been injected. What the configuration has of its own
 * (slices of running pods, WorkloadEntries of a Deployment's name) stays as it is. For a store with `endpointsFromPods`, which puts the pods behind their
 * services.
 */
export function simulateCluster(snapshot: MeshSnapshot): AnyResource[] {
  const entries = new Set(snapshot.list('WorkloadEntry').map(idOf))
  const ownPods = snapshot.list('Pod')
  const runs = ({ metadata, spec }: Controller): boolean =>
    ownPods.some(
      (pod) =>
        pod.metadata.namespace === metadata.namespace && selects(spec.template?.metadata?.labels ?? {}, pod.metadata.labels),
    )
  const controllers = CONTROLLERS.flatMap((kind): readonly Controller[] => snapshot.list(kind))
  const started = [
    ...controllers.filter((one) => !entries.has(idOf(one)) && !runs(one)).map(templateOf),
    ...ownPods.filter(({ status }) => status?.podIP === undefined),
  ].map((pod, i) => runningPod(pod, address('10.244', i)))
  const services = snapshot.list('Service').map((service, i) => withAddress(service, address('10.96', i)))
  const running = areSliced(snapshot) ? [] : ownPods.filter(({ status }) => status?.podIP !== undefined).map(meshed)
  return [...started, ...running, ...services]
}

/** Whether slices or Endpoints are written for services that select pods: then they say which run, and the pods are as they are written. */
function areSliced(snapshot: MeshSnapshot): boolean {
  const slices = snapshot
    .list('EndpointSlice')
    .map(({ metadata }) => [metadata.namespace, metadata.labels['kubernetes.io/service-name'] ?? ''] as const)
  const legacy = snapshot.list('Endpoints').map(({ metadata }) => [metadata.namespace, metadata.name] as const)
  return [...slices, ...legacy].some(([namespace, name]) => snapshot.get('Service', namespace, name)?.spec.selector !== undefined)
}

/** Simulated pods lead to what they were made of. */
export function simulatedOrigins(origins: OriginIndex): OriginIndex {
  return {
    locate(key, path) {
      const own = origins.locate(key, path)
      if (own !== undefined || !key.startsWith('Pod ')) return own
      const found = CONTROLLERS.map((kind) => origins.locate(key.replace('Pod', kind) as ResourceKey, 'spec.template'))
      return found.find((origin) => origin !== undefined)
    },
  }
}

function idOf({ metadata }: AnyResource): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** The i-th address below a prefix of two numbers. */
function address(prefix: string, i: number): string {
  return `${prefix}.${(i + 1) >> 8}.${(i + 1) & 255}`
}

/** The pod of a controller's template. */
function templateOf({ metadata, spec }: Controller): Pod {
  const { metadata: { labels = {}, annotations = {} } = {}, spec: podSpec } = spec.template ?? {}
  return decode<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: metadata.name, namespace: metadata.namespace, labels, annotations },
    spec: podSpec ?? { containers: [] },
  })
}

function runningPod(pod: Pod, address: string): Pod {
  const conditions = [{ type: 'Ready', status: 'True' }]
  return { ...meshed(pod), status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions } }
}

/** With the label that the injector adds: this pod takes mTLS. */
function meshed(pod: Pod): Pod {
  const { labels } = pod.metadata
  if (labels['sidecar.istio.io/inject'] === 'false') return pod
  return { ...pod, metadata: { ...pod.metadata, labels: { 'security.istio.io/tlsMode': 'istio', ...labels } } }
}

function withAddress(service: Service, clusterIP: string): Service {
  const { spec } = service
  return spec.clusterIP !== undefined || spec.type === 'ExternalName' ? service : { ...service, spec: { ...spec, clusterIP } }
}

/** These objects are made here, so one that is refused is a mistake here. */
function decode<R extends AnyResource>(object: object): R {
  const decoded = decodeResource(object)
  if (!decoded.ok) throw new Error(decoded.diagnostics.map(({ path, message }) => `${path}: ${message}`).join('; '))
  return decoded.value.resource as R
}
