import { type AnyResource, readYaml } from '@heddle/config-model'
import { type ProxyDescriptor, proxyFromJson } from '@heddle/translator'

/** The shapes of Istio's own benchmark (istio/pilot/pkg/xds/testdata/benchmarks), rebuilt. */
export interface IstioShape {
  readonly name: string
  readonly type: 'sidecar' | 'router'
  /** istiod's milliseconds for routes, clusters and listeners of the shape, without its cache; 0 where its benchmark has none. */
  readonly istiod: { readonly routes: number; readonly clusters: number; readonly listeners: number }
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

/** The proxy's own service. */
const OWN = networking(
  'ServiceEntry',
  'proxy-service-instance',
  `{hosts: [example.com], ports: [{number: 80, name: http, protocol: HTTP}, {number: 7070, name: tcp, protocol: TCP}, {number: 443, name: https, protocol: HTTPS}, {number: 9090, name: auto, protocol: ""}], resolution: STATIC, location: MESH_INTERNAL, endpoints: [{address: 1.1.1.1, labels: {security.istio.io/tlsMode: istio}}]}`,
)

const service = (index: number, ports: string, revision = 0, vip = true): string =>
  networking(
    'ServiceEntry',
    `service-${index}`,
    `{hosts: [random-${index}.host.example], ${vip ? `addresses: [240.240.${index >> 8}.${index & 255}], ` : ''}ports: [${ports}], resolution: STATIC, location: MESH_INTERNAL, endpoints: [{address: 1.2.3.${4 + (revision % 200)}, labels: {security.istio.io/tlsMode: istio}}]}`,
  )
const port = (number: number, name: string, protocol: string): string =>
  `{number: ${number}, name: ${name}, protocol: "${protocol}"}`
const HTTP = port(80, 'http', 'HTTP')

const changing = (revision: number) => (index: number) => (index === 0 ? revision : 0)

function services(count: number, ports: string, vip = true): (revision: number) => string {
  return (revision) => `${OWN}---${times(count, (i) => service(i, ports, changing(revision)(i), vip))}`
}

function gateways(revision: number): string {
  return `${OWN}---${times(1_000, (i) =>
    [
      networking(
        'Gateway',
        `gateway-${i}`,
        `{selector: {istio.io/benchmark: "true"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a-${i}.example.com, b-${i}.example.com, c-${i}.example.com]}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a-${i}.example.com, b-${i}.example.com, c-${i}.example.com], tls: {mode: ISTIO_MUTUAL}}]}`,
      ),
      networking(
        'VirtualService',
        `vs-${i}`,
        `{hosts: [a-${i}.example.com, b-${i}.example.com, c-${i}.example.com], gateways: [gateway-${i}], http: [{match: [{uri: {prefix: /route-${i}}}], ${i === 0 ? `timeout: ${1 + (revision % 50)}s, ` : ''}route: [{destination: {host: random-${i}.host.example, port: {number: 80}}}]}]}`,
      ),
      service(i, HTTP, 0, false),
    ].join('---'),
  )}`
}

function sharedGateways(revision: number): string {
  const hosts = 'a.example.com, b.example.com, c.example.com'
  const gateway = networking(
    'Gateway',
    'gateway',
    `{selector: {istio.io/benchmark: "true"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [${hosts}]}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: [${hosts}], tls: {mode: ISTIO_MUTUAL}}]}`,
  )
  const rules = (i: number): string =>
    Array.from(
      { length: 6 },
      (_, k) =>
        `{match: [{uri: {prefix: /route-${i}/${k}}}], ${i === 0 ? `timeout: ${1 + (revision % 50)}s, ` : ''}route: [{destination: {host: random-${i}.host.example, port: {number: 80}}}]}`,
    ).join(', ')
  return `${OWN}---${gateway}---${times(1_000, (i) => `${networking('VirtualService', `vs-${i}`, `{hosts: [${hosts}], gateways: [gateway], http: [${rules(i)}]}`)}---${service(i, HTTP, 0, false)}`)}`
}

function knative(revision: number): string {
  const gateway = (name: string): string =>
    networking(
      'Gateway',
      name,
      '{selector: {istio.io/benchmark: "true"}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}',
    )
  const rule = (i: number): string =>
    `{match: [{authority: {prefix: hello-${i}.default}, gateways: [knative-ingress-gateway], headers: {K-Network-Hash: {exact: override}}}, {authority: {prefix: hello-${i}.default}, gateways: [knative-local-gateway]}], retries: {}, ${i === 0 ? `timeout: ${1 + (revision % 50)}s, ` : ''}route: [{headers: {request: {set: {Knative-Serving-Namespace: default}}}, destination: {host: random-0.host.example, port: {number: 80}}, weight: 100}]}`
  const hosts = (i: number): string =>
    `hello-${i}.default, hello-${i}.default.example.com, hello-${i}.default.svc, hello-${i}.default.svc.cluster.local`
  return `${OWN}---${gateway('knative-ingress-gateway')}---${gateway('knative-local-gateway')}---${times(100, (i) => networking('VirtualService', `vs-${i}`, `{hosts: [${hosts(i)}], gateways: [knative-ingress-gateway, knative-local-gateway], http: [${rule(i)}]}`))}---${times(2, (i) => service(i, HTTP, 0, false))}`
}

function mutual(mode: string): (revision: number) => string {
  return (revision) =>
    `${OWN}---${object('security', 'PeerAuthentication', 'default', `{mtls: {mode: ${revision % 2 === 0 ? mode : 'PERMISSIVE'}}}`)}`
}

function externalNames(revision: number): string {
  return `${OWN}---${times(
    100,
    (i) => `
apiVersion: v1
kind: Service
metadata: {name: service-${i}, namespace: default}
spec: {type: ExternalName, externalName: external-${i === 0 ? revision : i}.example.com, ports: [{port: 80, name: http}]}
`,
  )}`
}

const FOUR_PORTS = [HTTP, port(7070, 'tcp', 'TCP'), port(443, 'https', 'HTTPS'), port(9090, 'auto', '')].join(', ')

function telemetry(revision: number): string {
  const asked = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: default, namespace: default}
spec: {metrics: [{providers: [{name: prometheus}]}], accessLogging: [{providers: [{name: envoy-json}]}]}
`
  return `${services(100, FOUR_PORTS, false)(revision)}---${asked}`
}

function virtualServices(revision: number): string {
  return `${OWN}---${times(100, (i) =>
    [
      service(i, HTTP),
      networking(
        'VirtualService',
        `vs-${i}`,
        `{hosts: [random-${i}.host.example], http: [{name: first, match: [{uri: {prefix: /prefix-${i}}}, {uri: {regex: "/regex-${i}/.*"}}], rewrite: {uri: /new-${i === 0 ? revision : 0}}, route: [{destination: {host: random-${i}.host.example}}]}, {name: second, route: [{destination: {host: random-${i}.host.example}}]}]}`,
      ),
    ].join('---'),
  )}`
}

function policies(revision: number): string {
  return `${OWN}---${times(100, (i) => object('security', 'AuthorizationPolicy', `policy-${i}`, `{action: DENY, rules: [{from: [{source: {namespaces: [ns-${i === 0 ? revision : i}]}}], to: [{operation: {methods: [GET]}}]}]}`))}`
}

function workloadEntries(revision: number): string {
  return `${OWN}---${times(100, (i) => networking('ServiceEntry', `service-${i}`, `{hosts: [random-${i}.host.example], ports: [${FOUR_PORTS}], resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {labels: {app: app-${i}}}}`))}---${times(1_000, (i) => networking('WorkloadEntry', `workload-${i}`, `{address: 10.${i >> 8}.${i & 255}.${i === 0 ? revision % 200 : 1}, labels: {app: app-${i % 100}}, serviceAccount: default}`))}`
}

const shape = (
  name: string,
  type: IstioShape['type'],
  istiod: readonly [routes: number, clusters: number, listeners: number],
  objects: (revision: number) => string,
): IstioShape => ({
  name,
  type,
  istiod: { routes: istiod[0], clusters: istiod[1], listeners: istiod[2] },
  objects,
})

/** With the figures of istiod 1.32-dev (Go 1.26, one core, cache off) on the machine where JSON.parse of 1 MB took 5.5 ms. */
export const ISTIO_SHAPES: readonly IstioShape[] = [
  shape('gateways', 'router', [27.5, 15.7, 18.7], gateways),
  shape('gateways-shared', 'router', [85.2, 16.2, 0.044], sharedGateways),
  shape('knative-gateway', 'router', [3.7, 0.033, 0.038], knative),
  shape('http', 'sidecar', [0.617, 2.02, 0.145], services(100, HTTP)),
  shape('tcp', 'sidecar', [0, 2.1, 0.807], services(100, port(7070, 'tcp', 'TCP'))),
  shape('tls', 'sidecar', [0, 2.03, 0.841], services(100, port(7070, 'tls', 'TLS'))),
  shape('auto', 'sidecar', [1.42, 2.22, 2.61], services(100, port(7070, 'auto', ''))),
  shape('strict', 'sidecar', [0, 0, 0.194], mutual('STRICT')),
  shape('disabled', 'sidecar', [0, 0, 0.154], mutual('DISABLE')),
  shape('externalname', 'sidecar', [0.081, 0.041, 0.158], externalNames),
  shape('telemetry-api', 'sidecar', [1.14, 6.21, 2.89], telemetry),
  shape('virtualservice', 'sidecar', [1.58, 1.51, 0.14], virtualServices),
  shape('authorizationpolicy', 'sidecar', [0, 0, 1.44], policies),
  shape('serviceentry-workloadentry', 'sidecar', [1.14, 9.23, 1.95], workloadEntries),
]

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
