import { dump } from 'js-yaml'

/** Addresses of the drill: a middle with everything outside, and two pods that hang on it. */
export const ADDRESSES = {
  a: { v4: '10.77.1.2', v6: 'fd77:1::2' },
  b: { v4: '10.77.2.2', v6: 'fd77:2::2' },
  /** Of b too. */
  second: { v4: '10.77.2.3', v6: 'fd77:2::3' },
  vip: { v4: '10.96.0.10', v6: 'fd96::10' },
} as const

/** Kubernetes' and Istio's objects of the drill: Service b on a virtual address in front of one pod with two addresses, strict mTLS. */
export function drillMesh(family: 'v4' | 'v6'): string {
  const v6 = family === 'v6'
  const metadata = (name: string, labels?: object): object => ({ name, namespace: 'shop', ...(labels && { labels }) })
  const pod = (name: 'a' | 'b'): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(name, { app: name, 'security.istio.io/tlsMode': 'istio' }),
    spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'app' }] },
    status: { phase: 'Running', podIP: ADDRESSES[name][family], conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const addresses = [ADDRESSES.b[family], ADDRESSES.second[family]]
  const vip = ADDRESSES.vip[family]
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('b'),
      spec: {
        clusterIP: vip,
        clusterIPs: [vip],
        ipFamilies: [v6 ? 'IPv6' : 'IPv4'],
        selector: { app: 'b' },
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'tcp', port: 9000, targetPort: 9000 },
        ],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata('b-1', { 'kubernetes.io/service-name': 'b' }),
      addressType: v6 ? 'IPv6' : 'IPv4',
      endpoints: addresses.map((address) => ({
        addresses: [address],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: 'b', namespace: 'shop' },
      })),
      ports: [
        { name: 'http', port: 8080 },
        { name: 'tcp', port: 9000 },
      ],
    },
    pod('a'),
    pod('b'),
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: metadata('default'),
      spec: { mtls: { mode: 'STRICT' } },
    },
  ]
    .map((object) => dump(object))
    .join('---\n')
}
