import { createStore, type KubernetesGateway, type ListenerSet, readYaml, type Store } from '@heddle/config-model'
import { isMap } from '../compare.js'
import { documents } from './converted-config.js'
import { type Json, mapAt, textAt } from './mesh.js'

/** The controller's name for its class, in place of `{GATEWAY_CLASS_NAME}`. */
const CLASS = 'istio'
const CONTROLLER = 'istio.io/gateway-controller'

/** A workload of the cluster, told by its address. */
export interface Workload {
  readonly namespace: string
  readonly name: string
}

export interface Cluster {
  readonly store: Store
  readonly workloads: ReadonlyMap<string, Workload>
  /** Address of the proxy of a Gateway. */
  addressOf(gateway: Workload): string
}

/** The suite's base manifests and those of a case, with what a cluster would make of them: workloads of Deployments, a Service and a proxy for each Gateway. */
export function clusterOf(manifests: readonly string[], certificate: Json): Cluster {
  const objects = [
    ...baseObjects(certificate),
    ...manifests.flatMap((text) =>
      documents(text.replaceAll('{GATEWAY_CLASS_NAME}', CLASS).replaceAll('{GATEWAY_CONTROLLER_NAME}', CONTROLLER)),
    ),
  ]
  const store = createStore({ allocateAddresses: false })
  const written = read(objects)
  const workloads = new Map<string, Workload>()
  const running = objects.filter(({ kind }) => kind === 'Deployment').map((one, i) => workloadOf(one, `10.2.${i}.1`, workloads))
  const gateways = written.filter((one): one is KubernetesGateway => one.kind === 'KubernetesGateway')
  const sets = written.filter((one): one is ListenerSet => one.kind === 'ListenerSet')
  const addresses = new Map(gateways.map(({ metadata: { namespace, name } }, i) => [`${namespace}/${name}`, `10.1.${i}.1`]))
  const doors = gateways.flatMap((one) => doorOf(one, sets, addresses.get(`${one.metadata.namespace}/${one.metadata.name}`)!))
  store.apply({ set: [...written, ...read([...running, ...doors])] })
  return { store, workloads, addressOf: ({ namespace, name }) => addresses.get(`${namespace}/${name}`) ?? '' }
}

function read(objects: readonly Json[]): ReturnType<typeof readYaml>['resources'] {
  const text = objects.map((one, i) => JSON.stringify(withAge(one, i))).join('\n---\n')
  return readYaml(text, { file: 'cluster.yaml' }).resources
}

// Objects are as old as their place says.
function withAge(object: Json, place: number): Json {
  const created = new Date(Date.UTC(2026, 0, 1) + place * 1000).toISOString()
  return { ...object, metadata: { creationTimestamp: created, generation: 1, ...mapAt(object, 'metadata') } }
}

function workloadOf(deployment: Json, address: string, workloads: Map<string, Workload>): Json {
  const meta = mapAt(deployment, 'metadata')
  const [name, namespace] = [textAt(meta, 'name'), textAt(meta, 'namespace')]
  workloads.set(address, { name, namespace })
  return entryOf(name, namespace, address, mapAt(deployment, 'spec', 'template', 'metadata', 'labels') ?? {})
}

// The echo servers have no proxy beside them.
function entryOf(name: string, namespace: string, address: string, labels: Json): Json {
  const spec = { address, labels: { ...labels, 'security.istio.io/tlsMode': 'disabled' } }
  return { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', metadata: { name, namespace }, spec }
}

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'

/** What Istio's deployment controller makes: a Service with all ports, and a proxy behind it. */
function doorOf(gateway: KubernetesGateway, sets: readonly ListenerSet[], address: string): Json[] {
  const { namespace, name } = gateway.metadata
  const own = sets.filter(
    ({ metadata, spec: { parentRef } }) => parentRef.name === name && (parentRef.namespace ?? metadata.namespace) === namespace,
  )
  const listeners = [gateway, ...own].flatMap(({ spec }) => spec.listeners ?? [])
  const numbers = [...new Set([15021, ...listeners.map(({ port }) => port ?? 0)])]
  const ports = numbers.map((port) => ({ name: `p${port}`, port, appProtocol: 'tcp' }))
  const labels = { [GATEWAY_NAME]: name }
  const metadata = { name: `${name}-${CLASS}`, namespace, labels }
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports, clusterIP: address } },
    entryOf(`${name}-${CLASS}`, namespace, address, labels),
  ]
}

const INFRA = 'gateway-conformance-infra'
const APP = 'gateway-conformance-app-backend'
const WEB = 'gateway-conformance-web-backend'

/** Certificates that the suite makes; which they are matters to none of the checks here. */
const SECRETS = [
  [INFRA, 'tls-validity-checks-certificate'],
  [INFRA, 'tls-checks-client-certificate'],
  [WEB, 'certificate'],
] as const

/** What the Gateway API's suite expects to find, as its documentation tells. */
function baseObjects(certificate: Json): Json[] {
  const api = 'gateway.networking.k8s.io/v1'
  const gateway = (name: string, listeners: readonly Json[]): Json => ({
    apiVersion: api,
    kind: 'Gateway',
    metadata: { name, namespace: INFRA },
    spec: { gatewayClassName: CLASS, listeners },
  })
  const http = (namespaces: Json): Json => ({ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces } })
  const tls = { certificateRefs: [{ name: 'tls-validity-checks-certificate' }] }
  const https = (name: string): Json => ({ name, port: 443, protocol: 'HTTPS', tls })
  return [
    { apiVersion: api, kind: 'GatewayClass', metadata: { name: CLASS }, spec: { controllerName: CONTROLLER } },
    ...[INFRA, APP, WEB].map((name) => namespaceOf(name)),
    ...SECRETS.map(([namespace, name]) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      stringData: certificate,
    })),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'tls-checks-ca-certificate', namespace: INFRA },
      data: { 'ca.crt': certificate['tls.crt'] },
    },
    gateway('same-namespace', [http({ from: 'Same' })]),
    gateway('all-namespaces', [http({ from: 'All' })]),
    gateway('backend-namespaces', [http({ from: 'Selector', selector: { matchLabels: { 'gateway-conformance': 'backend' } } })]),
    gateway('same-namespace-with-https-listener', [
      https('https'),
      { ...https('https-with-hostname'), hostname: 'second-example.org' },
      { ...https('https-with-wildcard-hostname'), hostname: '*.wildcard.org' },
      { ...https('https-with-hostname-matching-wildcard'), hostname: 'very.specific.wildcard.org' },
    ]),
    ...['infra-backend-v1', 'infra-backend-v2', 'infra-backend-v3'].flatMap((name) => backend(name, INFRA)),
    ...['app-backend-v1', 'app-backend-v2'].flatMap((name) => backend(name, APP)),
    ...backend('web-backend', WEB),
  ]
}

function namespaceOf(name: string): Json {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'gateway-conformance': name === INFRA ? 'infra' : 'backend' } },
  }
}

function backend(name: string, namespace: string): Json[] {
  const labels = { app: name }
  const second = { name: 'second-port', port: 8081, targetPort: 3001, appProtocol: 'kubernetes.io/h2c' }
  const ports = [{ name: 'first-port', port: 8080, targetPort: 3000 }, ...(name === 'infra-backend-v1' ? [second] : [])]
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports, clusterIP: '10.3.0.1' },
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { template: { metadata: { labels } } } },
  ]
}

/** `{Name, Namespace}` of the data. */
export function refOf(value: unknown): Workload {
  if (!isMap(value)) throw new Error('no name of an object')
  const namespace = textAt(value, 'Namespace')
  // A name that the suite computes is always that of its own namespace.
  return { name: textAt(value, 'Name'), namespace: namespace.startsWith('$') ? INFRA : namespace }
}
