/** Objects of a mesh of any size, as Kubernetes holds them. */

const ENDPOINTS = 10
const NAMESPACES = 100

type KubernetesObject = Readonly<Record<string, unknown>>

const metadata = (i: number, more: object = {}): object => ({
  name: `svc-${i}`,
  namespace: `ns-${i % NAMESPACES}`,
  // Old and young in no order.
  creationTimestamp: new Date(1.7e12 + ((i * 7919) % 10_000) * 1000).toISOString(),
  ...more,
})

export function meshService(i: number, port = 80): KubernetesObject {
  const ports = [{ name: 'http', port, targetPort: 8080 }]
  const spec = { clusterIP: `10.${i >> 8}.${i & 255}.1`, selector: { app: `svc-${i}` }, ports }
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata(i), spec }
}

const addressOf = (i: number, endpoint: number): string => {
  const n = i * ENDPOINTS + endpoint
  return `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
}

/** Ten endpoints; the first is not ready on demand. */
export function meshSlice(i: number, ready = true): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(i, { labels: { 'kubernetes.io/service-name': `svc-${i}` } }),
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, e) => ({
      addresses: [addressOf(i, e)],
      conditions: { ready: ready || e > 0 },
      targetRef: { kind: 'Pod', name: `svc-${i}-${e}`, namespace: `ns-${i % NAMESPACES}` },
    })),
  }
}

export function meshPods(i: number): readonly KubernetesObject[] {
  return Array.from({ length: ENDPOINTS }, (_, e) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(i, { name: `svc-${i}-${e}`, labels: { app: `svc-${i}` } }),
    spec: { serviceAccountName: `svc-${i}`, containers: [] },
    status: { podIP: addressOf(i, e), phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }))
}

const NETWORKING = 'networking.istio.io/v1'

export function meshVirtualService(i: number): KubernetesObject {
  const host = `svc-${i}`
  const http = [
    {
      name: 'beta',
      match: [{ uri: { prefix: '/beta' }, headers: { 'x-user': { regex: '[a-z]+-tester' } } }],
      route: [{ destination: { host, subset: 'v2' } }],
      retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx' },
    },
    {
      timeout: '5s',
      route: [
        { destination: { host, subset: 'v1' }, weight: 90 },
        { destination: { host, subset: 'v2' }, weight: 10 },
      ],
    },
  ]
  return { apiVersion: NETWORKING, kind: 'VirtualService', metadata: metadata(i), spec: { hosts: [host], http } }
}

export function meshDestinationRule(i: number): KubernetesObject {
  const trafficPolicy = { connectionPool: { tcp: { maxConnections: 100 }, http: { maxRequestsPerConnection: 10 } } }
  const subsets = [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'v2', labels: { version: 'v2' } },
  ]
  return {
    apiVersion: NETWORKING,
    kind: 'DestinationRule',
    metadata: metadata(i),
    spec: { host: `svc-${i}`, trafficPolicy, subsets },
  }
}

function meshPolicy(i: number): KubernetesObject {
  const rules = [
    { from: [{ source: { principals: [`cluster.local/ns/ns-1/sa/svc-${i}`] } }], to: [{ operation: { methods: ['GET'] } }] },
  ]
  const spec = { selector: { matchLabels: { app: `svc-${i}` } }, action: 'ALLOW', rules }
  return { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: metadata(i), spec }
}

function meshServiceEntry(i: number): KubernetesObject {
  const ports = [{ number: 443, name: 'tls', protocol: 'TLS' }]
  const spec = { hosts: [`api-${i}.example.com`], location: 'MESH_EXTERNAL', resolution: 'DNS', ports }
  return { apiVersion: NETWORKING, kind: 'ServiceEntry', metadata: metadata(i), spec }
}

/** The nth of a stream in which every fifth is of the same kind. */
export function mixedObject(i: number): KubernetesObject {
  const makers = [meshService, meshVirtualService, meshDestinationRule, meshPolicy, meshServiceEntry]
  return makers[i % makers.length]!(i)
}
