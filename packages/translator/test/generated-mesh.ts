import { type AnyResource, readYaml } from '@heddle/config-model'

/** Random objects of a small mesh: few names, so that objects meet, and broken references among them. `pick(n)` gives 0 to n - 1. */
export type Pick = (n: number) => number

const NAMESPACES = ['apps', 'apps', 'apps', 'shop', 'istio-system']
const PROTOCOLS = ['http', 'http', 'tcp', 'grpc', 'tls', '']

const oneOf = <T>(pick: Pick, list: readonly T[]): T => list[pick(list.length)] as T
const maybe = (pick: Pick, text: string): string => (pick(2) === 0 ? text : '')
const host = (pick: Pick): string =>
  oneOf(pick, [
    `s${pick(4)}`,
    `s${pick(4)}.apps.svc.cluster.local`,
    `e${pick(3)}.example.com`,
    `s${pick(4)}.shop.svc.cluster.local`,
  ])
const version = (pick: Pick): string => `v${pick(3)}`

const portName = (pick: Pick, number: number): string => {
  const name = oneOf(pick, PROTOCOLS)
  return name === '' ? `p${number}` : `${name}-${number}`
}
const port = (pick: Pick, number: number): string =>
  `{port: ${number}, targetPort: ${8000 + pick(4)}, name: ${portName(pick, number)}}`

const service = (pick: Pick): string => `
apiVersion: v1
kind: Service
metadata: {name: s${pick(4)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec: {clusterIP: ${oneOf(pick, ['None', `10.96.0.${pick(8)}`, `10.96.0.${pick(8)}`])}, selector: {app: a${pick(4)}}, ports: [${port(pick, oneOf(pick, [80, 80, 7070]))}${maybe(pick, `, ${port(pick, 90)}`)}]}
`
const slice = (pick: Pick): string => {
  const name = `s${pick(4)}`
  const endpoint = (): string => `{addresses: [10.0.0.${pick(12)}], zone: z${pick(2)}, conditions: {ready: ${pick(4) > 0}}}`
  return `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: ${portName(pick, 80)}, port: ${8000 + pick(4)}}, {name: ${portName(pick, 7070)}, port: ${8000 + pick(4)}}]
endpoints: [${endpoint()}, ${endpoint()}]
`
}
const pod = (pick: Pick): string => {
  const n = pick(12)
  return `
apiVersion: v1
kind: Pod
metadata: {name: p${n}, namespace: ${oneOf(pick, NAMESPACES)}, labels: {app: a${pick(4)}, version: ${version(pick)}}}
spec: {serviceAccountName: sa${pick(2)}}
status: {podIP: 10.0.0.${n}, conditions: [{type: Ready, status: "True"}]}
`
}
const serviceEntry = (pick: Pick): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: e${pick(3)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec:
  hosts: [e${pick(3)}.example.com]
  location: ${oneOf(pick, ['MESH_INTERNAL', 'MESH_EXTERNAL'])}
  resolution: ${oneOf(pick, ['STATIC', 'DNS'])}
  ports: [{number: ${oneOf(pick, [80, 443, 7070])}, name: main, protocol: ${oneOf(pick, ['HTTP', 'TLS', 'TCP'])}}]
  endpoints: [{address: 10.2.0.${pick(4)}, labels: {version: ${version(pick)}}, locality: r${pick(2)}/z${pick(2)}}]
  ${maybe(pick, 'exportTo: [.]')}
`
const workloadEntry = (pick: Pick): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: w${pick(4)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec: {address: 10.0.0.${pick(12)}, labels: {app: a${pick(4)}, version: ${version(pick)}}, serviceAccount: sa${pick(2)}}
`
const destination = (pick: Pick): string =>
  `{host: ${host(pick)}${maybe(pick, `, subset: ${version(pick)}`)}${maybe(pick, `, port: {number: ${oneOf(pick, [80, 7070])}}`)}}`

const httpRule = (pick: Pick): string => {
  const match = oneOf(pick, ['', `match: [{uri: {prefix: /a${pick(3)}}}], `, `match: [{sourceLabels: {app: a${pick(4)}}}], `])
  const action = oneOf(pick, [
    `route: [{destination: ${destination(pick)}}]`,
    `route: [{destination: ${destination(pick)}, weight: 30}, {destination: ${destination(pick)}, weight: 70}]`,
    `redirect: {uri: /r${pick(3)}}`,
  ])
  return `{${match}${maybe(pick, 'timeout: 2s, ')}${maybe(pick, 'retries: {attempts: 2}, ')}${action}}`
}
const virtualService = (pick: Pick): string => {
  const gateways = oneOf(pick, ['', 'gateways: [mesh, istio-system/g0]', 'gateways: [istio-system/g1]'])
  const rules = oneOf(pick, [
    `http: [${httpRule(pick)}, ${httpRule(pick)}]`,
    `http: [${httpRule(pick)}]`,
    `tcp: [{route: [{destination: ${destination(pick)}}]}]`,
  ])
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs${pick(5)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec:
  hosts: [${oneOf(pick, [host(pick), host(pick), '"*.example.com"', 'only.virtual'])}]
  ${gateways}
  ${rules}
  ${maybe(pick, maybe(pick, 'exportTo: [.]'))}
`
}
const destinationRule = (pick: Pick): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: dr${pick(5)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec:
  host: ${oneOf(pick, [host(pick), '"*.svc.cluster.local"'])}
  ${maybe(pick, maybe(pick, `workloadSelector: {matchLabels: {app: a${pick(4)}}}`))}
  trafficPolicy: {connectionPool: {tcp: {maxConnections: ${1 + pick(3)}}}${maybe(pick, ', outlierDetection: {consecutive5xxErrors: 3}')}${maybe(pick, ', loadBalancer: {consistentHash: {httpHeaderName: x}}')}}
  subsets: [{name: v0, labels: {version: v0}}, {name: v1, labels: {version: v1}, trafficPolicy: {tls: {mode: ${oneOf(pick, ['DISABLE', 'ISTIO_MUTUAL'])}}}}]
`
const gateway = (pick: Pick): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g${pick(2)}, namespace: istio-system}
spec:
  selector: {istio: ingress}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["${oneOf(pick, ['*', 'apps/*', '*.example.com'])}"]}
    - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["e${pick(3)}.example.com"], tls: {mode: SIMPLE, credentialName: c${pick(2)}}}
`
const sidecar = (pick: Pick): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: sc${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec:
  ${maybe(pick, `workloadSelector: {labels: {app: a${pick(4)}}}`)}
  egress: [{hosts: [${oneOf(pick, ['"./*"', '"*/*"', '"shop/*", "istio-system/*"'])}]}]
  ${maybe(pick, 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}')}
`
const peerAuthentication = (pick: Pick): string => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: pa${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec: {${maybe(pick, `selector: {matchLabels: {app: a${pick(4)}}}, `)}mtls: {mode: ${oneOf(pick, ['STRICT', 'PERMISSIVE', 'DISABLE'])}}}
`
const authorizationPolicy = (pick: Pick): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ap${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec: {${maybe(pick, `selector: {matchLabels: {app: a${pick(4)}}}, `)}action: ${oneOf(pick, ['ALLOW', 'DENY'])}, rules: [{to: [{operation: {ports: ["${8000 + pick(4)}"]}}]}]}
`

const envoyFilter = (pick: Pick): string => `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: ef${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec:
  ${maybe(pick, `workloadSelector: {labels: {app: a${pick(4)}}}`)}
  configPatches: [{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: MERGE, value: {connect_timeout: ${1 + pick(9)}s}}}]
`
const telemetry = (pick: Pick): string => `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: t${pick(2)}, namespace: ${oneOf(pick, NAMESPACES)}}
spec: {${maybe(pick, `selector: {matchLabels: {app: a${pick(4)}}}, `)}accessLogging: [{providers: [{name: envoy}]}]}
`

const KINDS: readonly ((pick: Pick) => string)[] = [
  service,
  service,
  slice,
  slice,
  pod,
  serviceEntry,
  workloadEntry,
  virtualService,
  virtualService,
  destinationRule,
  gateway,
  sidecar,
  peerAuthentication,
  authorizationPolicy,
  envoyFilter,
  telemetry,
]

/** Random objects, read together. Of two with one name the last counts. */
export function randomResources(pick: Pick, count: number): readonly AnyResource[] {
  const texts = Array.from({ length: count }, () => oneOf(pick, KINDS)(pick))
  return readYaml(texts.join('---\n'), { file: 'mesh.yaml' }).resources
}
