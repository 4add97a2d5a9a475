/** Objects of a small mesh on 127.0.0.1: every workload differs by its port. */
export const NAMESPACE = 'shop'

export interface MeshObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: object
}

const LOCALHOST = '127.0.0.1'

function object(apiVersion: string, kind: string, name: string, spec: object): MeshObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec }
}

/** Port 80, named http, of every workload that is labelled `app: <app>` and, when told, `version: <version>`. */
export function service(name: string, labels: Readonly<Record<string, string>>, targetPort = 80): MeshObject {
  return object('v1', 'Service', name, { selector: labels, ports: [{ name: 'http', port: 80, targetPort }] })
}

/** Answers the Service port `http` on `port`. `mutual`: through a sidecar that speaks mTLS. */
export function workloadEntry(
  name: string,
  { labels, port, mutual = false }: { labels: Readonly<Record<string, string>>; port: number; mutual?: boolean },
): MeshObject {
  // A service account alone would mean a sidecar, as in Istio.
  const tls = { 'security.istio.io/tlsMode': mutual ? 'istio' : 'disabled' }
  return object('networking.istio.io/v1', 'WorkloadEntry', name, {
    address: LOCALHOST,
    ports: { http: port },
    labels: { ...labels, ...tls },
    serviceAccount: name,
  })
}

/** No capture: an explicit listener on `inbound`, which leads to the app on `app`. */
export function sidecar(name: string, labels: Readonly<Record<string, string>>, inbound: number, app: number): MeshObject {
  return object('networking.istio.io/v1', 'Sidecar', name, {
    workloadSelector: { labels },
    ingress: [
      {
        port: { number: inbound, protocol: 'HTTP', name: 'http' },
        bind: LOCALHOST,
        captureMode: 'NONE',
        defaultEndpoint: `${LOCALHOST}:${app}`,
      },
    ],
    egress: [{ captureMode: 'NONE', hosts: ['./*'] }],
  })
}

/** What `host` leads to; `http` as in VirtualService. */
export function virtualService(name: string, host: string, http: readonly object[], gateways?: readonly string[]): MeshObject {
  const at = gateways === undefined ? {} : { gateways }
  return object('networking.istio.io/v1', 'VirtualService', name, { hosts: [host], ...at, http })
}

/** Of the service `host`, with what annotations ask for. */
export function destinationRule(host: string, annotations: Readonly<Record<string, string>>): MeshObject {
  const made = object('networking.istio.io/v1', 'DestinationRule', host, { host })
  return { ...made, metadata: { ...made.metadata, annotations } }
}

export function gateway(name: string, labels: Readonly<Record<string, string>>, host: string): MeshObject {
  const port = { number: 80, name: 'http', protocol: 'HTTP' }
  return object('networking.istio.io/v1', 'Gateway', name, { selector: labels, servers: [{ port, hosts: [host] }] })
}

export function strictMutualTls(): MeshObject {
  return object('security.istio.io/v1', 'PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } })
}

/** Only the service account `principal` may call what the labels select. */
export function allowOnly(name: string, labels: Readonly<Record<string, string>>, principal: string): MeshObject {
  return object('security.istio.io/v1', 'AuthorizationPolicy', name, {
    selector: { matchLabels: labels },
    action: 'ALLOW',
    rules: [{ from: [{ source: { principals: [`cluster.local/ns/${NAMESPACE}/sa/${principal}`] } }] }],
  })
}

/** Destinations of one HTTP route by weight. */
export function weights(shares: Readonly<Record<string, number>>): object {
  return { route: Object.entries(shares).map(([host, weight]) => ({ destination: { host }, weight })) }
}
