import {
  type AnyResource,
  type Deployment,
  decodeResource,
  type MeshSnapshot,
  type OriginIndex,
  type Pod,
  type ResourceKey,
  type Service,
  selects,
} from '@heddle/config-model'

/**
 * Deployments of a configuration as a cluster would run them: pods with addresses, VIPs for services, and endpoint slices between them.
 * What the configuration has of its own (pods, slices, WorkloadEntries of a Deployment's name) stays as it is.
 */
export function simulateCluster(snapshot: MeshSnapshot): AnyResource[] {
  const entries = new Set(snapshot.list('WorkloadEntry').map(idOf))
  const ownPods = snapshot.list('Pod')
  const runs = ({ metadata, spec }: Deployment): boolean =>
    ownPods.some(
      (pod) =>
        pod.metadata.namespace === metadata.namespace && selects(spec.template?.metadata?.labels ?? {}, pod.metadata.labels),
    )
  const deployments = snapshot.list('Deployment').filter((deployment) => !entries.has(idOf(deployment)) && !runs(deployment))
  const pods = deployments.map((deployment, i) => podOf(deployment, address('10.244', i)))
  const services = snapshot.list('Service').map((service, i) => withAddress(service, address('10.96', i)))
  return [...pods, ...services, ...services.flatMap((service) => sliceOf(service, pods))]
}

/** Simulated objects lead to what they were made of: a pod to its Deployment, a slice to its Service. */
export function simulatedOrigins(origins: OriginIndex): OriginIndex {
  return {
    locate(key, path) {
      const own = origins.locate(key, path)
      if (own !== undefined) return own
      if (key.startsWith('Pod ')) return origins.locate(key.replace('Pod ', 'Deployment ') as ResourceKey, 'spec.template')
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

function podOf({ metadata, spec }: Deployment, address: string): Pod {
  const template = spec.template ?? {}
  // What the injector adds: this pod takes mTLS.
  const labels = { ...template.metadata?.labels, 'security.istio.io/tlsMode': 'istio' }
  return decode<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: metadata.name, namespace: metadata.namespace, labels, annotations: template.metadata?.annotations },
    spec: template.spec ?? { containers: [] },
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions: [{ type: 'Ready', status: 'True' }] },
  })
}

function withAddress(service: Service, clusterIP: string): Service {
  const { spec } = service
  return spec.clusterIP !== undefined || spec.type === 'ExternalName' ? service : { ...service, spec: { ...spec, clusterIP } }
}

/** None for a service that selects no pod: nothing of its own would be there either. */
function sliceOf({ metadata, spec }: Service, pods: readonly Pod[]): AnyResource[] {
  const { selector } = spec
  if (selector === undefined) return []
  const chosen = pods.filter((pod) => pod.metadata.namespace === metadata.namespace && selects(selector, pod.metadata.labels))
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
