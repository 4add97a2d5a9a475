import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { decodeResource } from '../decode/resource.js'
import type { AnyResource } from '../kinds/index.js'
import { defaultMeshConfig } from '../kinds/mesh-config.js'
import { keyOf } from '../resource.js'
import { createStore, type Store } from '../store.js'

const BATCHES = 250

type Pick = (n: number) => number

const GROUP = 'gateway.networking.k8s.io'
const NAMESPACES = ['a', 'b']

// Small sets of names, so that references meet their objects, lose them and meet them again.
const MAKERS: readonly ((pick: Pick) => object)[] = [
  (pick) => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'Gateway',
    metadata: { name: `g${pick(2)}` },
    spec: {
      gatewayClassName: pick(6) === 0 ? 'other' : 'istio',
      allowedListeners: { namespaces: { from: pick(2) === 0 ? 'All' : 'Same' } },
      listeners: [0, 1].slice(pick(2)).map((i) => ({
        name: `l${i}`,
        port: 80 + i,
        protocol: 'HTTP',
        ...(pick(2) === 0 ? {} : { hostname: '*.example' }),
        allowedRoutes: { namespaces: { from: pick(2) === 0 ? 'All' : 'Same' } },
      })),
    },
  }),
  (pick) => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'ListenerSet',
    metadata: { name: `set${pick(2)}` },
    spec: {
      parentRef: { name: `g${pick(2)}`, namespace: NAMESPACES[pick(2)] },
      listeners: [{ name: 'l0', port: 80 + pick(3), protocol: 'HTTP' }],
    },
  }),
  (pick) => ({
    apiVersion: `${GROUP}/v1`,
    kind: pick(4) === 0 ? 'GRPCRoute' : 'HTTPRoute',
    metadata: { name: `r${pick(4)}` },
    spec: {
      parentRefs: [
        { name: `g${pick(2)}`, namespace: NAMESPACES[pick(2)], ...(pick(3) === 0 ? { sectionName: 'l0' } : {}) },
        ...(pick(3) === 0 ? [{ group: '', kind: 'Service', name: `s${pick(3)}` }] : []),
        ...(pick(4) === 0 ? [{ group: GROUP, kind: 'ListenerSet', name: `set${pick(2)}` }] : []),
      ],
      ...(pick(2) === 0 ? {} : { hostnames: [`h${pick(3)}.example`] }),
      rules: [{ backendRefs: [{ name: `s${pick(3)}`, namespace: NAMESPACES[pick(2)], port: 80 + pick(2) }] }],
    },
  }),
  (pick) => ({
    apiVersion: `${GROUP}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name: `grant${pick(2)}` },
    spec: { from: [{ group: GROUP, kind: 'HTTPRoute', namespace: NAMESPACES[pick(2)] }], to: [{ group: '', kind: 'Service' }] },
  }),
  (pick) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: pick(3) === 0 ? `g${pick(2)}-istio` : `s${pick(3)}` },
    spec: { clusterIP: '10.0.0.1', selector: { app: 'a' }, ports: [{ name: 'http', port: 80 + pick(2) }] },
  }),
  (pick) => ({
    apiVersion: `${GROUP}/v1`,
    kind: 'BackendTLSPolicy',
    metadata: { name: `p${pick(2)}` },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: `s${pick(3)}` }],
      validation: { hostname: 'h.example', wellKnownCACertificates: 'System' },
    },
  }),
  (pick) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: `i${pick(3)}` },
    spec: {
      rules: [
        {
          host: `h${pick(3)}.example`,
          http: {
            paths: [{ path: `/${pick(3)}`, pathType: 'Prefix', backend: { service: { name: 's0', port: { number: 80 } } } }],
          },
        },
      ],
    },
  }),
]

function make(pick: Pick): AnyResource {
  const object = MAKERS[pick(MAKERS.length)]!(pick) as { metadata: object }
  const decoded = decodeResource({ ...object, metadata: { ...object.metadata, namespace: NAMESPACES[pick(2)] } })
  if (!decoded.ok) throw new Error(decoded.diagnostics[0]?.message)
  return decoded.value.resource as AnyResource
}

const meshConfig = { ...defaultMeshConfig, ingressControllerMode: 'DEFAULT' as const }

function contentOf(store: Store): unknown {
  const snapshot = store.snapshot()
  const statuses = [...store.collections.statuses.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
  return { config: (['Gateway', 'VirtualService', 'DestinationRule'] as const).map((kind) => snapshot.list(kind)), statuses }
}

test('what follows from Gateway API and Ingress step by step is what follows at once', () => {
  const random = createSeededRandom(20_260)
  const pick: Pick = (n) => Math.floor(random.next() * n)
  const store = createStore({ meshConfig, allocateAddresses: false })
  const present = new Map<string, AnyResource>()
  for (let batch = 0; batch < BATCHES; batch++) {
    const set = Array.from({ length: 1 + pick(3) }, () => make(pick))
    const gone = pick(2) === 0 ? [...present.values()].filter(() => pick(12) === 0) : []
    store.apply({ set, remove: gone.map(keyOf).filter((key) => !set.some((one) => keyOf(one) === key)) })
    for (const one of gone) present.delete(keyOf(one))
    for (const one of set) present.set(keyOf(one), one)
    const whole = createStore({ meshConfig, allocateAddresses: false })
    whole.apply({ set: [...present.values()] })
    expect(contentOf(store), `after batch ${batch}`).toEqual(contentOf(whole))
  }
  expect(store.snapshot().list('VirtualService').length).toBeGreaterThan(3)
})
