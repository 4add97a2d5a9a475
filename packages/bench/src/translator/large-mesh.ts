import type { AnyResource } from '@heddle/config-model'
import { readYaml } from '@heddle/config-model'
import { type ProxyDescriptor, proxyFromNode } from '@heddle/translator'

/** A mesh of 1,000 services and 2,000 proxies, as many meshes are: namespaces, replicas, canaries, Sidecar scopes. */
export interface MeshShape {
  readonly services: number
  readonly proxies: number
  readonly namespaces: number
  readonly labelSets: number
  /** Sidecar resources, one for each namespace from the first on. */
  readonly scopes: number
  /** How many namespaces a Sidecar lets its workloads see, their own among them. */
  readonly reach: number
  /** Part of the proxies that are gateways. */
  readonly gateways: number
}

export const LARGE_MESH: MeshShape = {
  services: 1_000,
  proxies: 2_000,
  namespaces: 20,
  labelSets: 200,
  scopes: 20,
  reach: 20,
  gateways: 0.05,
}

const namespaceOf = (shape: MeshShape, index: number): string => `ns-${index % shape.namespaces}`
const addressOf = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`

/** Every tenth service speaks TCP, every tenth does not say what it speaks; each has two endpoints, every fifth a VirtualService and a DestinationRule. */
export function meshObjects(shape: MeshShape): readonly AnyResource[] {
  const texts: string[] = [GATEWAY, STRICT]
  for (let i = 0; i < shape.services; i++) {
    texts.push(serviceOf(shape, i), endpointsOf(shape, i, 0))
    if (i % 5 === 0) texts.push(virtualServiceOf(shape, i, 0), destinationRuleOf(shape, i, 0))
  }
  for (let i = 0; i < shape.scopes; i++) texts.push(sidecarOf(shape, i))
  return read(texts.join('---\n'))
}

function read(yaml: string): readonly AnyResource[] {
  const { resources, diagnostics } = readYaml(yaml, { file: 'mesh.yaml' })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error !== undefined) throw new Error(error.message)
  return resources
}

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: istio-system}
spec: {selector: {istio: ingress}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
`
const STRICT = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`

const portName = (index: number): string => (index % 10 === 3 ? 'tcp' : index % 10 === 7 ? 'main' : 'http')

function serviceOf(shape: MeshShape, index: number): string {
  return `
apiVersion: v1
kind: Service
metadata: {name: service-${index}, namespace: ${namespaceOf(shape, index)}}
spec: {clusterIP: 10.96.${index >> 8}.${index & 255}, selector: {app: app-${index % (shape.labelSets / 2)}}, ports: [{name: ${portName(index)}, port: ${portName(index) === 'tcp' ? 7070 : portName(index) === 'main' ? 9090 : 80}, targetPort: 8080}]}
`
}

/** The addresses of two proxies, and of one more with each revision. */
function endpointsOf(shape: MeshShape, index: number, revision: number): string {
  const addresses = [addressOf(index * 2), addressOf(index * 2 + 1), ...(revision === 0 ? [] : [`10.200.0.${revision % 250}`])]
  return `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: service-${index}, namespace: ${namespaceOf(shape, index)}, labels: {kubernetes.io/service-name: service-${index}}}
addressType: IPv4
ports: [{name: ${portName(index)}, port: 8080}]
endpoints: [${addresses.map((a) => `{addresses: ["${a}"]}`).join(', ')}]
`
}

function virtualServiceOf(shape: MeshShape, index: number, revision: number): string {
  const host = `service-${index}.${namespaceOf(shape, index)}.svc.cluster.local`
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: service-${index}, namespace: ${namespaceOf(shape, index)}}
spec:
  hosts: [${host}]
  gateways: [mesh, istio-system/door]
  http:
    - {match: [{headers: {x-canary: {exact: "yes"}}}], route: [{destination: {host: ${host}, subset: v2}}]}
    - {timeout: ${10 + (revision % 50)}s, route: [{destination: {host: ${host}, subset: v1}, weight: 90}, {destination: {host: ${host}, subset: v2}, weight: 10}]}
`
}

function destinationRuleOf(shape: MeshShape, index: number, revision: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: service-${index}, namespace: ${namespaceOf(shape, index)}}
spec:
  host: service-${index}.${namespaceOf(shape, index)}.svc.cluster.local
  trafficPolicy: {connectionPool: {tcp: {maxConnections: ${100 + revision}}}, outlierDetection: {consecutive5xxErrors: 5}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`
}

function sidecarOf(shape: MeshShape, index: number): string {
  const reached = Array.from({ length: shape.reach }, (_, i) => namespaceOf(shape, index + i))
  const hosts = shape.reach >= shape.namespaces ? ['*/*'] : [...reached.map((n) => `${n}/*`), 'istio-system/*']
  return `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: ${namespaceOf(shape, index)}}
spec: {egress: [{hosts: [${hosts.map((h) => `"${h}"`).join(', ')}]}]}
`
}

/** One change of each kind; another one each time. A service with a VirtualService and a DestinationRule. */
export const CHANGES = {
  endpoint: (shape: MeshShape, revision: number): readonly AnyResource[] => read(endpointsOf(shape, 5, revision)),
  VirtualService: (shape: MeshShape, revision: number): readonly AnyResource[] => read(virtualServiceOf(shape, 5, revision)),
  DestinationRule: (shape: MeshShape, revision: number): readonly AnyResource[] => read(destinationRuleOf(shape, 5, revision)),
}

/** A sidecar for each endpoint, and the gateways. */
export function meshProxies(shape: MeshShape): readonly ProxyDescriptor[] {
  const gateways = Math.round(shape.proxies * shape.gateways)
  return Array.from({ length: shape.proxies }, (_, i) => (i < gateways ? gatewayProxy(i) : sidecarProxy(shape, i)))
}

export function sidecarProxy(shape: MeshShape, index: number): ProxyDescriptor {
  const service = Math.floor(index / 2) % shape.services
  const namespace = namespaceOf(shape, service)
  const app = `app-${service % (shape.labelSets / 2)}`
  return proxy('sidecar', addressOf(index), `${app}-${index}`, namespace, {
    app,
    version: index % 2 === 0 ? 'v1' : 'v2',
    'service.istio.io/canonical-name': app,
  })
}

function gatewayProxy(index: number): ProxyDescriptor {
  return proxy('router', `10.250.0.${index % 250}`, `door-${index}`, 'istio-system', { istio: 'ingress' })
}

function proxy(type: string, ip: string, name: string, namespace: string, labels: Record<string, string>): ProxyDescriptor {
  const read = proxyFromNode({
    id: `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      NAME: name,
      NAMESPACE: namespace,
      INSTANCE_IPS: ip,
      LABELS: labels,
      SERVICE_ACCOUNT: 'default',
      CLUSTER_ID: 'Kubernetes',
    },
  })
  if (!read.ok) throw new Error(read.diagnostics[0]?.message)
  return read.value
}
