import { readFileSync } from 'node:fs'
import { inject, type KubernetesObject } from '@heddle/injector'
import { dump, loadAll } from 'js-yaml'

/** Everything one workload of the mesh needs, as Kubernetes would have given it to the pod. */
export interface Pod {
  readonly name: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** The app's container; a gateway has none. */
  readonly app: string | undefined
  readonly ports: PodPorts
  /** Environment of the injected istio-proxy container. */
  readonly proxyEnv: Readonly<Record<string, string>>
}

export interface PodPorts {
  /** Where the app listens. */
  readonly app: number
  /** Where the sidecar takes requests for the app, or the gateway those from outside. */
  readonly inbound: number
  /** Where the sidecar takes requests from the app. */
  readonly httpProxy: number
  /** Where a gateway takes TLS. */
  readonly https?: number
}

interface Deployment {
  kind: string
  metadata: { name: string; namespace: string }
  spec: { template: { metadata: { labels: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec } }
}

interface PodSpec {
  serviceAccountName: string
  containers: { name: string; env?: EnvVar[] }[]
  initContainers?: { name: string; env?: EnvVar[] }[]
}

interface EnvVar {
  name: string
  value?: string
  valueFrom?: { fieldRef?: { fieldPath: string } }
}

const LOCALHOST = '127.0.0.1'

/** What Kubernetes writes into service account tokens, and what Istio asks for. */
export const TOKEN_ISSUER = 'https://kubernetes.default.svc'
export const TOKEN_AUDIENCE = 'istio-ca'

/** No capture: explicit listeners, and a way out on a free port (docs/decisions/0003). These are Istio's own annotations. */
function annotationsFor(httpProxy: number): Record<string, string> {
  const proxyMetadata = { ISTIO_META_HTTP_PROXY_PORT: String(httpProxy), ISTIO_META_UNPRIVILEGED_POD: 'true' }
  return { 'sidecar.istio.io/interceptionMode': 'NONE', 'proxy.istio.io/config': JSON.stringify({ proxyMetadata }) }
}

/** What a kubelet does with downward-API variables. */
function resolveEnv(env: readonly EnvVar[], fields: Readonly<Record<string, string>>): Record<string, string> {
  const resolved: Record<string, string> = {}
  for (const { name, value, valueFrom } of env) {
    const field = valueFrom?.fieldRef?.fieldPath
    const got = value ?? (field === undefined ? undefined : fields[field])
    if (got !== undefined) resolved[name] = got
  }
  return resolved
}

/** The pods of the Deployments in `file`, injected as Istio's webhook would have done. */
export async function podsOf(file: string, ports: { next(): Promise<number> }): Promise<Pod[]> {
  const pods: Pod[] = []
  for (const document of loadAll(readFileSync(file, 'utf8')) as Deployment[]) {
    if (document.kind !== 'Deployment') continue
    const own: PodPorts = { app: await ports.next(), inbound: await ports.next(), httpProxy: await ports.next() }
    const { template } = document.spec
    template.metadata.annotations = { ...template.metadata.annotations, ...annotationsFor(own.httpProxy) }
    const injected = inject(document as unknown as KubernetesObject, { namespaceLabels: { 'istio-injection': 'enabled' } })
    if (!injected.ok)
      throw new Error(`cannot inject ${document.metadata.name}: ${injected.diagnostics.map((d) => d.message).join('; ')}`)
    const { name, namespace } = document.metadata
    const { metadata, spec } = (injected.value.object as unknown as Deployment).spec.template
    const proxy = [...(spec.initContainers ?? []), ...spec.containers].find((container) => container.name === 'istio-proxy')
    if (proxy === undefined) throw new Error(`${name} got no istio-proxy container`)
    const fields = {
      'metadata.name': name,
      'metadata.namespace': namespace,
      'spec.serviceAccountName': spec.serviceAccountName,
      'status.podIP': LOCALHOST,
      'status.hostIP': LOCALHOST,
    }
    pods.push({
      name,
      namespace,
      serviceAccount: spec.serviceAccountName,
      labels: metadata.labels,
      annotations: template.metadata.annotations,
      app: spec.containers.find((container) => container.name !== 'istio-proxy')?.name,
      ports: own,
      proxyEnv: {
        ...resolveEnv(proxy.env ?? [], fields),
        ISTIO_METAJSON_LABELS: JSON.stringify(metadata.labels),
        ISTIO_META_WORKLOAD_NAME: name,
      },
    })
  }
  return pods
}

/** A gateway is a proxy without an app. */
export async function gatewayPod(ports: { next(): Promise<number> }): Promise<Pod> {
  const own: PodPorts = { app: 0, inbound: await ports.next(), httpProxy: 0, https: await ports.next() }
  const labels = { istio: 'ingressgateway', app: 'istio-ingressgateway' }
  const [name, namespace] = ['istio-ingressgateway', 'istio-system']
  const proxyEnv = {
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    INSTANCE_IP: LOCALHOST,
    SERVICE_ACCOUNT: name,
    ISTIO_METAJSON_LABELS: JSON.stringify(labels),
    ISTIO_META_WORKLOAD_NAME: name,
  }
  return { name, namespace, serviceAccount: name, labels, annotations: {}, app: undefined, ports: own, proxyEnv }
}

/**
 * The WorkloadEntry that puts the pod behind the Services that select its labels, and the Sidecar that opens its inbound
 * listener. `ports` maps the Services' port names to the free ports that stand for 80 and 443.
 */
export function workloadYaml(pod: Pod): string {
  const metadata = { name: pod.name, namespace: pod.namespace }
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: { ...metadata, annotations: pod.annotations },
    spec: {
      address: LOCALHOST,
      ports: pod.app === undefined ? { http2: pod.ports.inbound, https: pod.ports.https } : { http: pod.ports.inbound },
      labels: pod.labels,
      serviceAccount: pod.serviceAccount,
    },
  }
  const sidecar = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata,
    spec: {
      workloadSelector: { labels: pod.labels },
      ingress: [
        {
          port: { number: pod.ports.inbound, protocol: 'HTTP', name: 'http' },
          bind: LOCALHOST,
          captureMode: 'NONE',
          defaultEndpoint: `${LOCALHOST}:${pod.ports.app}`,
        },
      ],
      egress: [{ captureMode: 'NONE', hosts: ['./*'] }],
    },
  }
  const documents = pod.app === undefined ? [entry] : [entry, sidecar]
  return documents.map((document) => dump(document, { lineWidth: -1 })).join('---\n')
}
