import { type AnyResource, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { type ProxyDescriptor, proxyFromJson } from '@heddle/translator'

/** istiod's milliseconds for a shape, without its cache. */
export interface IstiodFigures {
  /** 0 where its benchmark has none. */
  readonly routes: number
  readonly clusters: number
  readonly listeners: number
  /** Its push context and what it finds out about the proxy, before it makes resources. Every push makes them anew, but its benchmarks of resources do not. */
  readonly pushContext: number
}

/** The shapes of Istio's own benchmark (istio/pilot/pkg/xds/testdata/benchmarks), rebuilt. */
export interface IstioShape {
  readonly name: string
  readonly type: 'sidecar' | 'router'
  readonly istiod: IstiodFigures
  /** `revision` shows in the first object that a proxy reads. */
  objects(revision: number): string
}

const times = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join('---')

const object = (apiGroup: string, kind: string, name: string, spec: string): string => `
apiVersion: ${apiGroup}.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: default}
spec: ${spec}
`
const networking = (kind: string, name: string, spec: string): string => object('networking', kind, name, spec)

type Port = readonly [number: number, name: string, protocol: string]

const HTTP: Port = [80, 'http', 'HTTP']
const HTTPS: Port = [443, 'https', 'HTTPS']
const FOUR_PORTS: readonly Port[] = [HTTP, [7070, 'tcp', 'TCP'], HTTPS, [9090, 'auto', '']]

const portsOf = (ports: readonly Port[]): string =>
  `[${ports.map(([number, name, protocol]) => `{number: ${number}, name: ${name}, protocol: "${protocol}"}`).join(', ')}]`

/** Where a service stands: in the mesh, where its endpoints take mTLS, or outside, as Istio takes one that says nothing. */
type Place = 'inside' | 'outside'

const endpoint = (address: string, place: Place): string =>
  place === 'inside'
    ? `location: MESH_INTERNAL, endpoints: [{address: ${address}, labels: {security.istio.io/tlsMode: istio}}]`
    : `endpoints: [{address: ${address}, labels: {istio.io/benchmark: "true"}}]`

/** The proxy's own service. */
const own = (ports: readonly Port[], place: Place): string =>
  networking(
    'ServiceEntry',
    'proxy-service-instance',
    `{hosts: [example.com], ports: ${portsOf(ports)}, resolution: STATIC, ${endpoint('1.1.1.1', place)}}`,
  )

const service = (index: number, ports: readonly Port[], place: Place, revision = 0): string =>
  networking(
    'ServiceEntry',
    `service-${index}`,
    `{hosts: [random-${index}.host.example], ${place === 'inside' ? `addresses: [240.240.${index >> 8}.${index & 255}], ` : ''}ports: ${portsOf(ports)}, resolution: STATIC, ${endpoint(`1.2.3.${4 + (revision % 200)}`, place)}}`,
  )

const changing = (revision: number) => (index: number) => (index === 0 ? revision : 0)

function services(ports: readonly Port[], place: Place): (revision: number) => string {
  return (revision) => `${own(ports, place)}---${times(100, (i) => service(i, ports, place, changing(revision)(i)))}`
}

/** Of the first VirtualService: what a revision changes. */
const timeoutOf = (revision: number) => (index: number) => (index === 0 ? `timeout: ${1 + (revision % 50)}s, ` : '')

const TWO_SERVERS = (hosts: string): string =>
  `{selector: {istio.io/benchmark: "true"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [${hosts}]}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: [${hosts}], tls: {mode: ISTIO_MUTUAL}}]}`

function gateways(revision: number): string {
  const timeout = timeoutOf(revision)
  return `${own([HTTP, HTTPS], 'outside')}---${times(1_000, (i) => {
    const hosts = `random-a-${i}.host.example, random-b-${i}.host.example, random-c-${i}.host.example`
    return [
      networking('Gateway', `gateway-${i}`, TWO_SERVERS(hosts)),
      networking(
        'VirtualService',
        `vs-${i}`,
        `{hosts: [${hosts}], gateways: [gateway-${i}], http: [{match: [{uri: {prefix: /route-${i}}}], ${timeout(i)}route: [{destination: {host: random-${i}.host.example}}]}]}`,
      ),
      service(i, [HTTP], 'outside'),
    ].join('---')
  })}`
}

function sharedGateways(revision: number): string {
  const timeout = timeoutOf(revision)
  const hosts = 'random-1.host.example, random-2.host.example, random-3.host.example'
  const matches = (i: number): string => ['a', 'b', 'c', 'd', 'e', 'f'].map((k) => `{uri: {prefix: /route-${k}-${i}}}`).join(', ')
  const rule = (i: number): string =>
    `{match: [${matches(i)}], ${timeout(i)}route: [{destination: {host: random-${i}.host.example}}]}`
  return `${own([HTTP, HTTPS], 'outside')}---${networking('Gateway', 'gateway', TWO_SERVERS(hosts))}---${times(1_000, (i) => `${networking('VirtualService', `vs-${i}`, `{hosts: [${hosts}], gateways: [gateway], http: [${rule(i)}]}`)}---${service(i, [HTTP], 'outside')}`)}`
}

/** What Knative makes of its own services: all of one name, each with a revision. */
function knative(revision: number): string {
  const timeout = timeoutOf(revision)
  const gateway = (name: string, port: number): string =>
    networking(
      'Gateway',
      name,
      `{selector: {istio.io/benchmark: "true"}, servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: ["*"]}]}`,
    )
  const front = (name: string, targetPort: number): string =>
    networking(
      'ServiceEntry',
      name,
      `{hosts: [${name}.istio-system.svc.cluster.local], ports: [{number: 80, targetPort: ${targetPort}, name: http, protocol: HTTP}], resolution: STATIC, ${endpoint('1.1.1.1', 'outside')}}`,
    )
  const route = (name: string, i: number): string =>
    `${timeout(i)}route: [{destination: {host: ${name}-${i}.default.svc.cluster.local, port: {number: 80}}, headers: {request: {set: {Knative-Serving-Namespace: default, Knative-Serving-Revision: ${name}-${i}}}}, weight: 100}]`
  const hash = '0647dfaebda7111f09cd1ee30dfb4cbdf540bcd47575c5f948106757b7110384'
  const rules = (authority: string, gatewayName: string, name: string, i: number): string =>
    `{headers: {request: {set: {K-Network-Hash: ${hash}}}}, match: [{authority: {prefix: ${authority}}, gateways: [${gatewayName}], headers: {K-Network-Hash: {exact: override}}}], ${route(name, i)}}, {match: [{authority: {prefix: ${authority}}, gateways: [${gatewayName}]}], ${route(name, i)}}`
  const open = (i: number): string =>
    `{hosts: [hello.default, hello.default.external.domain, hello.default.svc, hello.default.svc.cluster.local], gateways: [knative-ingress-gateway, knative-local-gateway], http: [${rules('hello.default', 'knative-local-gateway', 'hello', i)}, ${rules('hello.default.external.domain', 'knative-ingress-gateway', 'hello', i)}]}`
  const closed = (i: number): string =>
    `{hosts: [hello-private.default, hello-private.default.svc, hello-private.default.svc.cluster.local], gateways: [knative-local-gateway], http: [${rules('hello-private.default', 'knative-local-gateway', 'hello-private', i)}]}`
  return [
    front('istio-ingressgateway', 8080),
    front('knative-local-gateway', 8081),
    gateway('knative-ingress-gateway', 80),
    gateway('knative-local-gateway', 8081),
    times(50, (i) =>
      [
        networking('VirtualService', `hello-ingress-${i}`, open(i)),
        networking('VirtualService', `hello-private-ingress-${i}`, closed(i)),
      ].join('---'),
    ),
  ].join('---')
}

/** A change makes the one of the other. */
function mutual(mode: string, other: string): (revision: number) => string {
  return (revision) =>
    `${own(FOUR_PORTS, 'outside')}---${object('security', 'PeerAuthentication', 'default', `{mtls: {mode: ${revision % 2 === 0 ? mode : other}}}`)}`
}

function externalNames(revision: number): string {
  return `${own([HTTP], 'inside')}---${times(
    100,
    (i) => `
apiVersion: v1
kind: Service
metadata: {name: service-${i}, namespace: default}
spec: {type: ExternalName, externalName: random-${i === 0 ? revision : i}.example.com, ports: [{port: 80, name: http}]}
`,
  )}`
}

function telemetry(revision: number): string {
  const asked = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: telemetry, namespace: istio-system}
spec: {metrics: [{providers: [{name: prometheus}]}], accessLogging: [{providers: [{name: envoy-json}]}]}
`
  return `${services(FOUR_PORTS, 'outside')(revision)}---${asked}`
}

function virtualServices(revision: number): string {
  return `${own([HTTP], 'outside')}---${times(100, (i) =>
    [
      service(i, [HTTP], 'outside'),
      networking(
        'VirtualService',
        `vs-${i}`,
        `{hosts: [random-${i}.host.example], http: [{name: match-route, match: [{uri: {prefix: /foo}}, {uri: {regex: /bar}}], rewrite: {uri: /new-url-${i === 0 ? revision : 0}}, route: [{destination: {host: random-${i}.host.example}}]}]}`,
      ),
    ].join('---'),
  )}`
}

function policies(revision: number): string {
  return `${own([HTTP, HTTPS], 'outside')}---${times(100, (i) => object('security', 'AuthorizationPolicy', `authn-${i}`, `{action: DENY, rules: [{from: [{source: {namespaces: [${i === 0 ? `default-${revision}` : 'default'}]}}], to: [{operation: {methods: [POST]}}]}]}`))}`
}

function workloadEntries(revision: number): string {
  const entry = (i: number): string =>
    networking(
      'ServiceEntry',
      `service-${i}`,
      `{hosts: [random-${i}.host.example], ports: ${portsOf(FOUR_PORTS)}, resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {labels: {app: random-${i}}}}`,
    )
  const workload = (i: number): string =>
    networking(
      'WorkloadEntry',
      `random-${i}`,
      `{address: 10.10.10.${i === 0 ? 10 + (revision % 200) : 10}, labels: {app: random-${i % 100}}, serviceAccount: random}`,
    )
  return `${own(FOUR_PORTS, 'inside')}---${times(100, entry)}---${times(1_000, workload)}`
}

const shape = (
  name: string,
  type: IstioShape['type'],
  istiod: readonly [routes: number, clusters: number, listeners: number, pushContext: number],
  objects: (revision: number) => string,
): IstioShape => ({
  name,
  type,
  istiod: { routes: istiod[0], clusters: istiod[1], listeners: istiod[2], pushContext: istiod[3] },
  objects,
})

/** With the figures of istiod 1.32-dev (Go 1.26, one core, cache off) on the machine where JSON.parse of 1 MB took 5.5 ms. */
export const ISTIO_SHAPES: readonly IstioShape[] = [
  shape('gateways', 'router', [27.5, 15.7, 18.7, 12.7], gateways),
  shape('gateways-shared', 'router', [85.2, 16.2, 0.044, 3.7], sharedGateways),
  shape('knative-gateway', 'router', [3.7, 0.033, 0.038, 0.053], knative),
  shape('http', 'sidecar', [0.617, 2.02, 0.145, 0.204], services([HTTP], 'inside')),
  shape('tcp', 'sidecar', [0, 2.1, 0.807, 0.194], services([[7070, 'tcp', 'TCP']], 'inside')),
  shape('tls', 'sidecar', [0, 2.03, 0.841, 0.208], services([[7070, 'tls', 'TLS']], 'inside')),
  shape('auto', 'sidecar', [1.42, 2.22, 2.61, 0.186], services([[7070, 'auto', '']], 'inside')),
  shape('strict', 'sidecar', [0, 0, 0.194, 0.011], mutual('STRICT', 'DISABLE')),
  shape('disabled', 'sidecar', [0, 0, 0.154, 0.011], mutual('DISABLE', 'STRICT')),
  shape('externalname', 'sidecar', [0.081, 0.041, 0.158, 0.174], externalNames),
  shape('telemetry-api', 'sidecar', [1.14, 6.21, 2.89, 0.227], telemetry),
  shape('virtualservice', 'sidecar', [1.58, 1.51, 0.14, 0.233], virtualServices),
  shape('authorizationpolicy', 'sidecar', [0, 0, 1.44, 0.067], policies),
  shape('serviceentry-workloadentry', 'sidecar', [1.14, 9.23, 1.95, 0.449], workloadEntries),
]

/** The types of which there is a figure: of what Istio's benchmark does not time we make nothing either. */
export function shapeTypes({ istiod: { routes, clusters, listeners } }: IstioShape): readonly string[] {
  const of = (milliseconds: number, type: string): string[] =>
    milliseconds === 0 ? [] : [`type.googleapis.com/envoy.config.${type}`]
  return [
    ...of(routes, 'route.v3.RouteConfiguration'),
    ...of(clusters, 'cluster.v3.Cluster'),
    ...of(listeners, 'listener.v3.Listener'),
  ]
}

/** Istio's benchmark has the provider that its shape telemetry-api asks for. */
export function shapeMeshConfig(): MeshConfig {
  const read = readMeshConfig(
    'extensionProviders: [{name: envoy-json, envoyFileAccessLog: {path: /dev/stdout, logFormat: {labels: {}}}}]',
  )
  if (!read.ok) throw new Error(read.diagnostics[0]?.message)
  return read.value
}

export function shapeObjects({ objects }: IstioShape, revision: number): readonly AnyResource[] {
  const { resources, diagnostics } = readYaml(objects(revision), { file: 'shape.yaml' })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error !== undefined) throw new Error(`${error.path}: ${error.message}`)
  return resources
}

export function shapeProxy({ type }: IstioShape): ProxyDescriptor {
  const read = proxyFromJson({
    id: 'bench',
    type,
    namespace: 'default',
    ip: '1.1.1.1',
    labels: { 'istio.io/benchmark': 'true' },
    version: '1.26.0',
  })
  if (!read.ok) throw new Error('not a proxy')
  return read.value
}
