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
 * Deployments, StatefulSets and DaemonSets of a configuration as a cluster would run them: pods with addresses, VIPs for services, and endpoint
 * slices between them. Pods that are written without a status run too. What the configuration has of its own (running pods, slices,
 * WorkloadEntries of a Deployment's name) stays as it is.
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
  const sliced = slicedServices(snapshot)
  // Nobody wrote slices for these services, though pods of theirs run.
  const unsliced = ownPods.filter(({ status }) => status?.podIP !== undefined).map(meshed)
  const slices = services.flatMap((service) => sliceOf(service, sliced.has(idOf(service)) ? started : [...started, ...unsliced]))
  const used = unsliced.filter((pod) => services.some((service) => !sliced.has(idOf(service)) && runsFor(service, pod)))
  return [...started, ...used, ...services, ...slices]
}

/** `namespace/name` of the services that have slices or Endpoints of their own. */
function slicedServices(snapshot: MeshSnapshot): ReadonlySet<string> {
  const slices = snapshot
    .list('EndpointSlice')
    .map(({ metadata }) => `${metadata.namespace}/${metadata.labels['kubernetes.io/service-name']}`)
  return new Set([...slices, ...snapshot.list('Endpoints').map(idOf)])
}

/** Simulated objects lead to what they were made of: a pod to its Deployment, a slice to its Service. */
export function simulatedOrigins(origins: OriginIndex): OriginIndex {
  return {
    locate(key, path) {
      const own = origins.locate(key, path)
      if (own !== undefined) return own
      if (key.startsWith('Pod ')) {
        const found = CONTROLLERS.map((kind) => origins.locate(key.replace('Pod', kind) as ResourceKey, 'spec.template'))
        return found.find((origin) => origin !== undefined)
      }
      if (key.startsWith('EndpointSlice ') && key.endsWith(SIMULATED)) {
        return origins.locate(key.replace('EndpointSlice ', 'Service ').slice(0, -SIMULATED.length) as ResourceKey, '')
      }
      return undefined
    },
  }
}

const SIMULATED = '-simulated'

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

function runsFor({ metadata, spec: { selector } }: Pick<Service, 'metadata' | 'spec'>, pod: Pod): boolean {
  return selector !== undefined && pod.metadata.namespace === metadata.namespace && selects(selector, pod.metadata.labels)
}

/** None for a service that selects no pod: nothing of its own would be there either. */
function sliceOf({ metadata, spec }: Service, pods: readonly Pod[]): AnyResource[] {
  const chosen = pods.filter((pod) => runsFor({ metadata, spec }, pod))
  const [first] = chosen
  if (first === undefined) return []
  return [
    decode<AnyResource>({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${metadata.name}${SIMULATED}`,
        namespace: metadata.namespace,
        labels: { 'kubernetes.io/service-name': metadata.name },
      },
      addressType: 'IPv4',
      endpoints: chosen.map((pod) => ({
        addresses: [pod.status?.podIP ?? ''],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace },
      })),
      ports: (spec.ports ?? []).map(({ name, port, targetPort = port }) => ({ name, port: portNumber(targetPort, first) })),
    }),
  ]
}

function portNumber(port: number | string, { spec }: Pod): number {
  if (typeof port === 'number') return port
  const named = (spec.containers ?? []).flatMap(({ ports = [] }) => ports).find(({ name }) => name === port)
  return named?.containerPort ?? 0
}

/** These objects are made here, so one that is refused is a mistake here. */
function decode<R extends AnyResource>(object: object): R {
  const decoded = decodeResource(object)
  if (!decoded.ok) throw new Error(decoded.diagnostics.map(({ path, message }) => `${path}: ${message}`).join('; '))
  return decoded.value.resource as R
}
