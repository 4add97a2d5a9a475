import { load, loadAll } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { inject } from '../inject.js'
import type { Container, KubernetesObject, PodSpec } from '../kubernetes.js'
import { renderGatewayManifest } from './manifest.js'
import { type RenderGatewayOptions, renderGateway } from './render-gateway.js'

const parse = (yaml: string): KubernetesObject => load(yaml) as KubernetesObject
const gateway = (className: string, more = ''): KubernetesObject =>
  parse(`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door, namespace: shop, uid: u-1, labels: {team: tea}, annotations: {note: "yes", gateway.istio.io/controller-version: "5"}}
spec:
  gatewayClassName: ${className}
  listeners:
  - {name: web.public, port: 80, protocol: HTTP}
  - {name: second, port: 80, protocol: HTTP, hostname: second.example}
  - {name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
${more}`)

function rendered(object: KubernetesObject, options?: RenderGatewayOptions): Record<string, KubernetesObject> {
  const result = renderGateway(object, options)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  expect(result.value.reason).toBeUndefined()
  return Object.fromEntries(result.value.objects.map((one) => [one.kind, one]))
}

const specOf = <T>(object: KubernetesObject | undefined): T => object?.['spec'] as T
const podOf = (deployment: KubernetesObject | undefined): PodSpec =>
  specOf<{ template: { spec: PodSpec } }>(deployment).template.spec
const proxyOf = (deployment: KubernetesObject | undefined): Container => podOf(deployment).containers![0]!
const envOf = (deployment: KubernetesObject | undefined, name: string): string | undefined =>
  proxyOf(deployment).env?.find((one) => one.name === name)?.value

describe('class istio', () => {
  test('an account, a Deployment and a Service of one name, owned by the Gateway', () => {
    const { ServiceAccount, Deployment, Service, ...others } = rendered(gateway('istio'))
    expect(others).toEqual({})
    for (const object of [ServiceAccount, Deployment, Service])
      expect(object?.metadata).toEqual({
        name: 'door-istio',
        namespace: 'shop',
        annotations: { note: 'yes' },
        labels: {
          team: 'tea',
          'istio.io/dataplane-mode': 'none',
          'gateway.networking.k8s.io/gateway-name': 'door',
          'gateway.networking.k8s.io/gateway-class-name': 'istio',
          'gateway.istio.io/managed': 'istio.io-gateway-controller',
        },
        ownerReferences: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: 'door', uid: 'u-1' }],
      })
  })

  test('the Service has readiness and each port once', () => {
    const { Service } = rendered(gateway('istio'))
    expect(Service?.['spec']).toEqual({
      ipFamilyPolicy: 'PreferDualStack',
      ports: [
        { name: 'status-port', port: 15_021, protocol: 'TCP', appProtocol: 'tcp' },
        { name: 'web-public', port: 80, protocol: 'TCP', appProtocol: 'http' },
        { name: 'tls', port: 443, protocol: 'TCP', appProtocol: 'https' },
      ],
      selector: { 'gateway.networking.k8s.io/gateway-name': 'door' },
      type: 'LoadBalancer',
    })
  })

  test('the pod is a router that may do nothing but its work, and is no pod for the injector', () => {
    const { Deployment } = rendered(gateway('istio'), { revision: 'canary', values: { global: { hub: 'hub', tag: 't' } } })
    const { template } = specOf<{ template: KubernetesObject }>(Deployment)
    expect(template.metadata?.annotations).toEqual({
      note: 'yes',
      'istio.io/rev': 'canary',
      'prometheus.io/path': '/stats/prometheus',
      'prometheus.io/port': '15020',
      'prometheus.io/scrape': 'true',
    })
    expect(template.metadata?.labels).toMatchObject({
      'sidecar.istio.io/inject': 'false',
      'service.istio.io/canonical-name': 'door-istio',
      'service.istio.io/canonical-revision': 'latest',
    })
    expect(inject({ ...Deployment } as KubernetesObject)).toMatchObject({ value: { decisions: [{ inject: false }] } })
    const pod = podOf(Deployment)
    expect(pod.serviceAccountName).toBe('door-istio')
    expect(pod['securityContext']).toEqual({ sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] })
    const proxy = proxyOf(Deployment)
    expect(proxy.image).toBe('hub/proxyv2:t')
    expect(proxy.args?.slice(0, 4)).toEqual(['proxy', 'router', '--domain', '$(POD_NAMESPACE).svc.cluster.local'])
    expect(proxy.securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true, runAsNonRoot: true },
      ...{ runAsUser: 1337, runAsGroup: 1337, capabilities: { drop: ['ALL'] } },
    })
    expect(envOf(Deployment, 'ISTIO_META_WORKLOAD_NAME')).toBe('door-istio')
    expect(envOf(Deployment, 'ISTIO_META_OWNER')).toBe('kubernetes://apis/apps/v1/namespaces/shop/deployments/door-istio')
    const mounted = proxy['volumeMounts'] as { name: string }[]
    expect(pod.volumes?.map(({ name }) => name).sort()).toEqual(mounted.map(({ name }) => name).sort())
  })
})

test.each([
  ['istio-waypoint', 'ClusterIP', 'istio.io-mesh-controller', undefined],
  ['istio-east-west', 'LoadBalancer', 'istio.io-eastwest-controller', 'west'],
])('class %s is a waypoint behind a %s', (className, type, controller, view) => {
  const { Deployment, Service } = rendered(gateway(className), { values: { global: { network: 'west' } } })
  expect(Service).toMatchObject({ metadata: { name: 'door' }, spec: { type } })
  expect(Service?.metadata?.annotations).toEqual({ note: 'yes', 'networking.istio.io/traffic-distribution': 'PreferClose' })
  expect(Deployment?.metadata?.labels).toMatchObject({
    'gateway.istio.io/managed': controller,
    'topology.istio.io/network': 'west',
  })
  const { template } = specOf<{ template: KubernetesObject }>(Deployment)
  expect(template.metadata?.labels).toMatchObject({ 'istio.io/dataplane-mode': 'none' })
  expect(proxyOf(Deployment).args?.slice(0, 6)).toEqual([
    ...['proxy', 'waypoint', '--domain', '$(POD_NAMESPACE).svc.cluster.local', '--serviceCluster', 'door.$(POD_NAMESPACE)'],
  ])
  expect(envOf(Deployment, 'ISTIO_META_NETWORK')).toBe('west')
  expect(envOf(Deployment, 'ISTIO_META_REQUESTED_NETWORK_VIEW')).toBe(view)
  expect(proxyOf(Deployment).resources).toEqual({
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { cpu: '2', memory: '1Gi' },
  })
})

test('where a waypoint runs is a value', () => {
  const nodeSelector = { disk: 'ssd' }
  const { Deployment } = rendered(gateway('istio-waypoint'), { values: { global: { waypoint: { nodeSelector } } } })
  expect(podOf(Deployment)).toMatchObject({ nodeSelector })
  expect(podOf(Deployment)).not.toHaveProperty('tolerations')
})

test.each<[string, string, (objects: Record<string, KubernetesObject>) => unknown, unknown]>([
  ['its own name', 'gateway.istio.io/name-override', ({ Service }) => Service?.metadata?.name, 'mine'],
  ['its own account', 'gateway.istio.io/service-account', ({ Deployment }) => podOf(Deployment).serviceAccountName, 'mine'],
  [
    'another sort of Service',
    'networking.istio.io/service-type',
    ({ Service }) => specOf<{ type: string }>(Service).type,
    'mine',
  ],
  ['an image', 'sidecar.istio.io/proxyImage', ({ Deployment }) => proxyOf(Deployment).image, 'my/image:1'],
])('an annotation gives it %s', (_what, name, read, value) => {
  const object = gateway('istio')
  object.metadata!.annotations = { [name]: String(value) }
  expect(read(rendered(object))).toBe(value)
})

test('labels and annotations of infrastructure stand in for its own, and cannot say whose it is', () => {
  const infrastructure = '  infrastructure: {labels: {a: b, gateway.networking.k8s.io/gateway-name: x}, annotations: {c: d}}'
  const { Service } = rendered(gateway('istio', infrastructure))
  expect(Service?.metadata?.annotations).toEqual({ c: 'd' })
  expect(Service?.metadata?.labels).toMatchObject({ a: 'b', 'gateway.networking.k8s.io/gateway-name': 'door' })
  expect(Service?.metadata?.labels).not.toHaveProperty('team')
})

test('without a uid nobody owns it; an address is the load balancer’s', () => {
  const object = gateway('istio', '  addresses: [{value: 203.0.113.7}]')
  delete object.metadata!['uid']
  const { Service } = rendered(object)
  expect(Service?.metadata).not.toHaveProperty('ownerReferences')
  expect(Service?.['spec']).toMatchObject({ loadBalancerIP: '203.0.113.7' })
})

test.each([
  [gateway('nginx'), 'there is no GatewayClass nginx'],
  [gateway('istio-remote'), 'a gateway of another cluster'],
  [gateway('istio', '  addresses: [{type: Hostname, value: door.shop}]'), 'somebody else deploys'],
  [parse('{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {}}'), 'Service is no Gateway'],
])('nothing is deployed, and the reason is told: %#', (object, reason) => {
  expect(renderGateway(object)).toMatchObject({ ok: true, value: { objects: [], reason: expect.stringContaining(reason) } })
})

test('a class of the user’s is known by its GatewayClass', () => {
  const spec = { controllerName: 'istio.io/mesh-controller' }
  const mine = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: 'mine' }, spec }
  expect(rendered(gateway('mine'), { among: [mine] })['Service']?.metadata?.name).toBe('door')
  const other = renderGateway(gateway('mine'), { among: [{ ...mine, spec: { controllerName: 'x/y' } }] })
  expect(other).toMatchObject({ value: { reason: expect.stringContaining('x/y') } })
})

describe('overlays', () => {
  const PARAMETERS = '  infrastructure: {parametersRef: {group: "", kind: ConfigMap, name: options}}'
  const options = (data: object, metadata: object = { name: 'options', namespace: 'shop' }): KubernetesObject =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }) as KubernetesObject

  test('are merged strategically; an autoscaler and a disruption budget are there when asked for', () => {
    const among = [
      options({
        deployment:
          'spec: {replicas: 4, template: {spec: {containers: [{name: istio-proxy, resources: {requests: {cpu: 222m}}}]}}}',
        service: 'spec: {ports: [{port: 80, nodePort: 30080}, {name: more, port: 9000}]}',
        horizontalPodAutoscaler: 'spec: {maxReplicas: 2}',
        podDisruptionBudget: 'spec: {minAvailable: 1}',
      }),
    ]
    const { Deployment, Service, HorizontalPodAutoscaler, PodDisruptionBudget } = rendered(gateway('istio', PARAMETERS), {
      among,
    })
    expect(Deployment).toMatchObject({ spec: { replicas: 4 } })
    expect(proxyOf(Deployment)).toMatchObject({ name: 'istio-proxy', resources: { requests: { cpu: '222m', memory: '128Mi' } } })
    expect(specOf<{ ports: object[] }>(Service).ports).toEqual([
      expect.objectContaining({ port: 15_021 }),
      expect.objectContaining({ name: 'web-public', port: 80, nodePort: 30_080 }),
      expect.objectContaining({ port: 443 }),
      { name: 'more', port: 9000 },
    ])
    expect(HorizontalPodAutoscaler).toMatchObject({ spec: { maxReplicas: 2, scaleTargetRef: { name: 'door-istio' } } })
    expect(PodDisruptionBudget).toMatchObject({ spec: { minAvailable: 1 } })
  })

  test('defaults of the class come before the Gateway’s own', () => {
    const labels = { 'gateway.istio.io/defaults-for-class': 'istio' }
    const defaults = options(
      { deployment: 'spec: {replicas: 2, minReadySeconds: 5}' },
      { name: 'd', namespace: 'istio-system', labels },
    )
    const among = [defaults, options({ deployment: 'spec: {replicas: 3}' })]
    expect(rendered(gateway('istio', PARAMETERS), { among })['Deployment']).toMatchObject({
      spec: { replicas: 3, minReadySeconds: 5 },
    })
    expect(rendered(gateway('istio'), { among })['Deployment']).toMatchObject({ spec: { replicas: 2 } })
  })

  test.each([
    ['nobody has', [], 'there is no ConfigMap shop/options'],
    ['has an unknown key', [options({ daemonSet: '{}' })], 'has a key daemonSet'],
    ['is no object', [options({ service: '[]' })], 'service is no YAML object'],
    ['renames things', [options({ service: 'metadata: {name: other}' })], 'nothing else of it'],
  ])('a ConfigMap that %s is an error', (_what, among, message) => {
    expect(renderGateway(gateway('istio', PARAMETERS), { among })).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'gateway.invalid_parameters', message: expect.stringContaining(message) }],
    })
  })
})

test('ports of ListenerSets that the Gateway allows', () => {
  const set = (namespace: string, port: number): KubernetesObject =>
    parse(`
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: ${namespace}}
spec: {parentRef: {name: door, namespace: shop}, listeners: [{name: p${port}, port: ${port}, protocol: HTTP}]}`)
  const among = [
    set('shop', 1000),
    set('tea', 2000),
    set('cake', 3000),
    { kind: 'Namespace', metadata: { name: 'tea', labels: { open: 'yes' } } },
  ]
  const ports = (allowed: string): number[] => {
    const { Service } = rendered(gateway('istio', allowed), { among })
    return specOf<{ ports: { port: number }[] }>(Service)
      .ports.map(({ port }) => port)
      .slice(3)
  }
  expect(ports('')).toEqual([])
  expect(ports('  allowedListeners: {namespaces: {from: Same}}')).toEqual([1000])
  expect(ports('  allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {open: "yes"}}}}')).toEqual([2000])
  expect(ports('  allowedListeners: {namespaces: {from: All}}')).toEqual([1000, 2000, 3000])
})

test('a stream: what Gateways refer to is found in it, other documents are passed over', () => {
  const yaml = `
kind: Service
metadata: {name: cart}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door}
spec: {gatewayClassName: mine, listeners: [{name: a, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: mine}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other}
spec: {gatewayClassName: nginx, listeners: [{name: a, port: 80, protocol: HTTP}]}
`
  const result = renderGatewayManifest(yaml)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  expect(result.value.gateways.map(({ subject, objects }) => [subject, objects.length])).toEqual([
    ['Gateway default/door', 3],
    ['Gateway default/other', 0],
  ])
  expect((loadAll(result.value.yaml) as KubernetesObject[]).map(({ kind }) => kind)).toEqual([
    'ServiceAccount',
    'Deployment',
    'Service',
  ])
  expect(renderGatewayManifest(yaml.replace('gatewayClassName: mine,', ''), { file: 'a.yaml' })).toMatchObject({
    ok: false,
    diagnostics: [{ origin: { file: 'a.yaml', line: 4 } }],
  })
})
