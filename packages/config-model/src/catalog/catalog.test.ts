import { describe, expect, it } from 'vitest'
import { readYaml } from '../read.js'
import type { MeshSnapshot } from '../snapshot.js'
import { createStore, type StoreOptions } from '../store.js'
import type { ServiceEndpoint } from './service.js'

function mesh(text: string, options: StoreOptions = {}): MeshSnapshot {
  const { resources, diagnostics } = readYaml(text, { file: 'f.yaml', defaultNamespace: 'shop' })
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  const store = createStore(options)
  store.apply({ set: resources })
  return store.snapshot()
}

function endpointsOf(snapshot: MeshSnapshot, hostname: string, port = 'http'): readonly ServiceEndpoint[] {
  const [service] = snapshot.servicesOf(hostname)
  expect(service).toBeDefined()
  return snapshot.endpoints(service!, port)
}

const service = (spec: string, name = 'tea', annotations = '{}'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, annotations: ${annotations}}\nspec: ${spec}\n`
const PORTS = '[{name: http, port: 80, targetPort: 8080}]'

describe('Kubernetes services', () => {
  it.each<[string, string, object]>([
    [
      'a plain one',
      `{clusterIP: 10.0.0.1, ports: ${PORTS}}`,
      { resolution: 'ClientSideLB', addresses: ['10.0.0.1'], meshExternal: false, headless: false },
    ],
    [
      'two families',
      `{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, "fd00::1"], ports: ${PORTS}}`,
      { addresses: ['10.0.0.1', 'fd00::1'] },
    ],
    ['headless', `{clusterIP: None, ports: ${PORTS}}`, { resolution: 'Passthrough', addresses: [], headless: true }],
    [
      'ExternalName',
      `{type: ExternalName, externalName: x.example, ports: ${PORTS}}`,
      { resolution: 'Alias', meshExternal: true, externalName: 'x.example' },
    ],
    [
      'target ports',
      '{ports: [{name: a, port: 1}, {name: b, port: 2, targetPort: web}]}',
      { ports: [{ targetPort: 1 }, { targetPort: 'web' }] },
    ],
  ])('%s', (_name, spec, wanted) => {
    expect(mesh(service(spec)).services).toMatchObject([
      { hostname: 'tea.shop.svc.cluster.local', name: 'tea', registry: 'Kubernetes', ...wanted },
    ])
  })

  it('reads visibility and accounts from annotations', () => {
    const annotations = '{networking.istio.io/exportTo: "., other", alpha.istio.io/kubernetes-serviceaccounts: tea}'
    expect(mesh(service(`{ports: ${PORTS}}`, 'tea', annotations)).services).toMatchObject([
      { exportTo: ['.', 'other'], subjectAltNames: ['spiffe://cluster.local/ns/shop/sa/tea'] },
    ])
  })
})

const POD = `apiVersion: v1
kind: Pod
metadata: {name: tea-v1-5f7b6c9d4-x2k8q, labels: {app: tea, pod-template-hash: 5f7b6c9d4, security.istio.io/tlsMode: istio}}
spec: {serviceAccountName: brewer, nodeName: n1, containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]}
status: {podIP: 10.1.0.1, phase: Running, conditions: [{type: Ready, status: "True"}]}
`
const NODE =
  'apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-1}}\n'
const SLICE = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: tea-abc, labels: {kubernetes.io/service-name: tea}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: unknown, port: 1}]
endpoints:
- addresses: [10.1.0.1]
  conditions: {ready: true}
  targetRef: {kind: Pod, name: tea-v1-5f7b6c9d4-x2k8q, namespace: shop}
- addresses: [10.1.0.9]
  conditions: {ready: false, terminating: false}
`
const SELECTED = service(`{selector: {app: tea}, ports: ${PORTS}}`)

describe('endpoints from pods, where nobody writes slices', () => {
  const options = { endpointsFromPods: true }
  const endpoints = (...documents: string[]): readonly ServiceEndpoint[] =>
    endpointsOf(mesh(documents.join('---\n'), options), 'tea.shop.svc.cluster.local')
  const named = service('{selector: {app: tea}, ports: [{name: http, port: 80, targetPort: web}]}')

  it('are the pods that the selector takes, at the port of their container', () => {
    const wanted = { address: '10.1.0.1', port: 8080, portName: 'http', health: 'HEALTHY', tlsMode: 'istio', locality: 'eu/eu-1' }
    expect(endpoints(SELECTED, POD, NODE)).toMatchObject([wanted])
    expect(endpoints(named, POD, NODE)).toMatchObject([wanted])
    expect(endpoints(named.replace('targetPort: web', 'targetPort: none'), POD)).toEqual([])
    expect(endpoints(SELECTED, POD.replace('app: tea', 'app: milk'))).toEqual([])
    expect(endpoints(SELECTED, POD.replace('podIP: 10.1.0.1, ', ''))).toEqual([])
  })

  it.each([
    ['says nothing of it', POD.replace(/, conditions.*/, '}'), SELECTED, 'HEALTHY'],
    ['says it is not', POD.replace('"True"', '"False"'), SELECTED, 'UNHEALTHY'],
    [
      'says it is not, to a service that does not care',
      POD.replace('"True"', '"False"'),
      SELECTED.replace('selector', 'publishNotReadyAddresses: true, selector'),
      'HEALTHY',
    ],
  ])('are ready when the pod %s', (_, pod, written, health) => {
    expect(endpoints(written, pod)).toMatchObject([{ health }])
  })

  it('are none as soon as slices or Endpoints of a Service with a selector say who runs', () => {
    const other = service(`{selector: {app: milk}, ports: ${PORTS}}`, 'milk')
    const slice = SLICE.replaceAll('tea', 'milk')
    const legacy = 'apiVersion: v1\nkind: Endpoints\nmetadata: {name: milk}\nsubsets: []\n'
    expect(endpoints(SELECTED, POD, other, slice)).toEqual([])
    expect(endpoints(SELECTED, POD, other, legacy)).toEqual([])
    const handWritten = other.replace('selector: {app: milk}, ', '')
    expect(endpoints(SELECTED, POD, handWritten, slice)).toHaveLength(1)
  })
})

describe('endpoints of Kubernetes services', () => {
  it('come from slices, with what the pod and its node say', () => {
    const found = endpointsOf(mesh([SELECTED, POD, NODE, SLICE].join('---\n')), 'tea.shop.svc.cluster.local')
    expect(found).toMatchObject([
      {
        address: '10.1.0.1',
        port: 8080,
        portName: 'http',
        health: 'HEALTHY',
        healthKnown: true,
        serviceAccount: 'brewer',
        tlsMode: 'istio',
        locality: 'eu/eu-1',
        workloadName: 'tea-v1',
        cluster: 'Kubernetes',
      },
      {
        address: '10.1.0.9',
        health: 'UNHEALTHY',
        serviceAccount: '',
        tlsMode: 'disabled',
        labels: {},
        namespace: '',
        workloadName: '',
      },
    ])
  })

  it.each<[string, string, string]>([
    ['ready', '{ready: true, serving: true, terminating: false}', 'HEALTHY'],
    ['said nothing of', '{}', 'HEALTHY'],
    ['about to end', '{ready: false, serving: false, terminating: true}', 'DRAINING'],
    ['about to end, but still serving', '{ready: false, serving: true, terminating: true}', 'DRAINING'],
    ['not ready', '{ready: false, serving: false, terminating: false}', 'UNHEALTHY'],
  ])('one that is %s', (_name, conditions, wanted) => {
    const slice = SLICE.replace('{ready: true}', conditions)
    const found = endpointsOf(mesh([SELECTED, POD, slice].join('---\n')), 'tea.shop.svc.cluster.local')
    expect(found[0]?.health).toBe(wanted)
  })

  it('never come from pods alone: Kubernetes has to say so', () => {
    expect(endpointsOf(mesh([SELECTED, POD].join('---\n')), 'tea.shop.svc.cluster.local')).toEqual([])
  })

  it('count as ready when the service publishes those that are not', () => {
    const all = service(`{selector: {app: tea}, publishNotReadyAddresses: true, ports: ${PORTS}}`)
    const found = endpointsOf(mesh([all, SLICE].join('---\n')), 'tea.shop.svc.cluster.local')
    expect(found.map(({ health }) => health)).toEqual(['HEALTHY', 'HEALTHY'])
  })

  it('come from Endpoints where there is no slice', () => {
    const legacy =
      'apiVersion: v1\nkind: Endpoints\nmetadata: {name: tea}\nsubsets:\n- addresses: [{ip: 10.2.0.1}]\n  notReadyAddresses: [{ip: 10.2.0.2}]\n  ports: [{name: http, port: 81}]\n'
    const found = endpointsOf(mesh([SELECTED, legacy].join('---\n')), 'tea.shop.svc.cluster.local')
    expect(found.map(({ address, port, health }) => [address, port, health])).toEqual([
      ['10.2.0.1', 81, 'HEALTHY'],
      ['10.2.0.2', 81, 'UNHEALTHY'],
    ])
    expect(endpointsOf(mesh([SELECTED, legacy, SLICE].join('---\n')), 'tea.shop.svc.cluster.local')).toHaveLength(2)
  })
})

const entry = (name: string, spec: string, extra = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: ${name}${extra}}\nspec: ${spec}\n`

describe('WorkloadEntries behind a Kubernetes service', () => {
  it.each<[string, string, string, (number | undefined)[]]>([
    ['the target port', PORTS, '{address: 1.1.1.1, labels: {app: tea}}', [8080]],
    ['their port of the name of the service port', PORTS, '{address: 1.1.1.1, labels: {app: tea}, ports: {http: 4001}}', [4001]],
    [
      'their port of the name of the target port',
      '[{name: http, port: 80, targetPort: web}]',
      '{address: 1.1.1.1, labels: {app: tea}, ports: {web: 7, http: 4001}}',
      [7],
    ],
    [
      'nothing without the named target port',
      '[{name: http, port: 80, targetPort: web}]',
      '{address: 1.1.1.1, labels: {app: tea}, ports: {http: 4001}}',
      [],
    ],
    ['nothing when not selected', PORTS, '{address: 1.1.1.1, labels: {app: coffee}}', []],
  ])('have %s', (_name, ports, spec, wanted) => {
    const snapshot = mesh([service(`{selector: {app: tea}, ports: ${ports}}`), entry('a', spec)].join('---\n'))
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local').map(({ port }) => port)).toEqual(wanted)
  })

  it.each<[string, string, string, string]>([
    ['istio with a service account', '{address: 1.1.1.1, labels: {app: tea}, serviceAccount: a}', '', 'istio'],
    ['disabled without', '{address: 1.1.1.1, labels: {app: tea}}', '', 'disabled'],
    [
      'what the label says',
      '{address: 1.1.1.1, labels: {app: tea, security.istio.io/tlsMode: disabled}, serviceAccount: a}',
      '',
      'disabled',
    ],
    [
      'what the label of the object says',
      '{address: 1.1.1.1, labels: {app: tea}}',
      ', labels: {security.istio.io/tlsMode: istio}',
      'istio',
    ],
  ])('have tlsMode %s', (_name, spec, extra, wanted) => {
    const snapshot = mesh([SELECTED, entry('a', spec, extra)].join('---\n'))
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local')).toMatchObject([{ tlsMode: wanted }])
  })

  it('are left out when their status says that they are ill', () => {
    const ill = `${entry('a', '{address: 1.1.1.1, labels: {app: tea}}')}status: {conditions: [{type: Healthy, status: "False"}]}\n`
    expect(endpointsOf(mesh([SELECTED, ill].join('---\n')), 'tea.shop.svc.cluster.local')).toEqual([])
  })

  it('are in the network of the root namespace, unless they say another', () => {
    const root = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system, labels: {topology.istio.io/network: home}}\n'
    const own = entry('b', '{address: 1.1.1.2, network: away, labels: {app: tea}}')
    const snapshot = mesh([SELECTED, entry('a', '{address: 1.1.1.1, labels: {app: tea}}'), own, root].join('---\n'))
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local').map(({ network }) => network)).toEqual(['home', 'away'])
  })

  it('are not of another namespace', () => {
    const snapshot = mesh([SELECTED, entry('a', '{address: 1.1.1.1, labels: {app: tea}}', ', namespace: other')].join('---\n'))
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local')).toEqual([])
  })
})

const serviceEntry = (spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: se}\nspec: ${spec}\n`
const SE_PORTS = 'ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]'

describe('ServiceEntries', () => {
  it.each<[string, string]>([
    ['NONE', 'Passthrough'],
    ['STATIC', 'ClientSideLB'],
    ['DNS', 'DNSLB'],
    ['DNS_ROUND_ROBIN', 'DNSRoundRobinLB'],
  ])('resolution %s is %s', (resolution, wanted) => {
    expect(mesh(serviceEntry(`{hosts: [X.example], resolution: ${resolution}, ${SE_PORTS}}`)).services).toMatchObject([
      {
        hostname: 'x.example',
        registry: 'External',
        resolution: wanted,
        meshExternal: true,
        ports: [{ number: 80, targetPort: 8080, protocol: 'HTTP' }],
      },
    ])
  })

  it('give a service for each host', () => {
    const snapshot = mesh(
      serviceEntry(`{hosts: [b.example, a.example], location: MESH_INTERNAL, addresses: [240.0.0.1], ${SE_PORTS}}`),
    )
    expect(snapshot.services.map(({ hostname, addresses, meshExternal }) => [hostname, addresses, meshExternal])).toEqual([
      ['a.example', ['240.0.0.1'], false],
      ['b.example', ['240.0.0.1'], false],
    ])
  })

  it.each<[string, string, [string, number][]]>([
    [
      'inline, with ports of their own',
      `{hosts: [x.example], resolution: STATIC, ${SE_PORTS}, endpoints: [{address: 1.1.1.1}, {address: 1.1.1.2, ports: {http: 9}}]}`,
      [
        ['1.1.1.1', 8080],
        ['1.1.1.2', 9],
      ],
    ],
    [
      'a Unix socket',
      `{hosts: [x.example], resolution: STATIC, ${SE_PORTS}, endpoints: [{address: "unix:///run/x"}]}`,
      [['unix:///run/x', 0]],
    ],
    ['the host itself for DNS', `{hosts: [x.example], resolution: DNS, ${SE_PORTS}}`, [['x.example', 8080]]],
    ['none for NONE', `{hosts: [x.example], resolution: NONE, ${SE_PORTS}}`, []],
  ])('have endpoints: %s', (_name, spec, wanted) => {
    expect(endpointsOf(mesh(serviceEntry(spec)), 'x.example').map(({ address, port }) => [address, port])).toEqual(wanted)
  })

  it.each<[string, string, string[]]>([
    [
      'inline ones',
      `{hosts: [x.example], resolution: STATIC, ${SE_PORTS}, endpoints: [{address: 1.1.1.1}, {address: 1.1.1.2}]}`,
      ['se-0', 'se-1'],
    ],
    ['the host itself', `{hosts: [x.example], resolution: DNS, ${SE_PORTS}}`, ['se']],
  ])('name the workloads of endpoints: %s', (_name, spec, wanted) => {
    const found = endpointsOf(mesh(serviceEntry(spec)), 'x.example')
    expect(found.map(({ workloadName, namespace }) => `${namespace}/${workloadName}`)).toEqual(
      wanted.map((name) => `shop/${name}`),
    )
  })

  it('have the addresses that their status gives each host', () => {
    const status =
      'status: {addresses: [{value: 240.240.0.1, host: a.example}, {value: 240.240.0.2, host: b.example}, {value: 240.240.0.3}]}\n'
    const snapshot = mesh(serviceEntry(`{hosts: [a.example, b.example], resolution: DNS, ${SE_PORTS}}`) + status)
    expect(snapshot.services.map(({ addresses }) => addresses)).toEqual([
      ['240.240.0.1', '240.240.0.3'],
      ['240.240.0.2', '240.240.0.3'],
    ])
  })

  it('select WorkloadEntries and ready pods of their namespace', () => {
    const unready = POD.replace('tea-v1-5f7b6c9d4-x2k8q', 'other').replace('10.1.0.1', '10.1.0.2').replace('"True"', '"False"')
    const selecting = serviceEntry(
      `{hosts: [x.example], resolution: STATIC, ${SE_PORTS}, workloadSelector: {labels: {app: tea}}}`,
    )
    const snapshot = mesh(
      [selecting, POD, unready, entry('vm', '{address: 1.1.1.1, labels: {app: tea}, ports: {http: 5}}')].join('---\n'),
    )
    expect(endpointsOf(snapshot, 'x.example').map(({ address, port, healthKnown }) => [address, port, healthKnown])).toEqual([
      ['1.1.1.1', 5, false],
      ['10.1.0.1', 8080, true],
    ])
  })

  it('stand behind a Kubernetes service of the same host and namespace', () => {
    const snapshot = mesh(
      [SELECTED, serviceEntry(`{hosts: [tea.shop.svc.cluster.local], resolution: DNS, ${SE_PORTS}}`)].join('---\n'),
    )
    expect(snapshot.servicesOf('tea.shop.svc.cluster.local')).toMatchObject([{ registry: 'Kubernetes' }])
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local')).toEqual([])
  })

  it('add their addresses to a Kubernetes service of the same host and namespace', () => {
    const entry = `{hosts: [tea.shop.svc.cluster.local], resolution: STATIC, ${SE_PORTS}, endpoints: [{address: 1.1.1.1}]}`
    const snapshot = mesh([SELECTED, POD, SLICE, serviceEntry(entry)].join('---\n'))
    expect(endpointsOf(snapshot, 'tea.shop.svc.cluster.local').map(({ address }) => address)).toEqual([
      '10.1.0.1',
      '10.1.0.9',
      '1.1.1.1',
    ])
  })

  it('of one host and namespace are one service: the oldest says what it is, ports and endpoints come together', () => {
    const one = (name: string, time: string, spec: string): string =>
      `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: ${name}, creationTimestamp: "${time}"}\nspec: ${spec}\n`
    const younger = one(
      'a',
      '2024-01-02T00:00:00Z',
      '{hosts: [x.example], resolution: DNS, location: MESH_INTERNAL, ports: [{number: 80, name: http, protocol: TCP, targetPort: 9}, {number: 443, name: https, protocol: TLS}], endpoints: [{address: b.example}]}',
    )
    const older = one(
      'b',
      '2024-01-01T00:00:00Z',
      `{hosts: [x.example], resolution: STATIC, ${SE_PORTS}, endpoints: [{address: 1.1.1.1}]}`,
    )
    for (const text of [
      [younger, older],
      [older, younger],
    ]) {
      const snapshot = mesh(text.join('---\n'))
      expect(snapshot.servicesOf('x.example')).toMatchObject([
        {
          source: 'ServiceEntry shop/b',
          resolution: 'ClientSideLB',
          meshExternal: true,
          ports: [
            { number: 80, protocol: 'HTTP', targetPort: 8080 },
            { number: 443, protocol: 'TLS' },
          ],
        },
      ])
      const behind = (port: string): unknown =>
        endpointsOf(snapshot, 'x.example', port).map(({ address, port, workloadName }) => [address, port, workloadName])
      expect(behind('http')).toEqual([
        ['1.1.1.1', 8080, 'b-0'],
        ['b.example', 9, 'a-0'],
      ])
      expect(behind('https')).toEqual([['b.example', 443, 'a-0']])
    }
  })
})

describe('MeshNetworks', () => {
  const networks = (endpoints: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  meshNetworks: |\n    networks:\n      far: {endpoints: [${endpoints}]}\n      near: {endpoints: [{fromCidr: 10.1.0.0/16}]}\n`
  it.each([
    ['by address', '{fromCidr: 10.2.0.0/16}', '', ['near', '']],
    ['by the smallest range', '{fromCidr: 10.1.0.0/30}', '', ['far', '']],
    ['by the name of the cluster, before addresses', '{fromRegistry: Kubernetes}', '', ['far', 'far']],
    [
      'by the label of the root namespace before all',
      '{fromRegistry: Kubernetes}',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system, labels: {topology.istio.io/network: home}}\n',
      ['home', 'home'],
    ],
  ])('place workloads %s', (_name, endpoints, more, wanted) => {
    const slice = SLICE.replace('10.1.0.9', '10.3.0.9')
    const snapshot = mesh([SELECTED, POD, slice, networks(endpoints), more].filter((text) => text !== '').join('---\n'))
    const found = endpointsOf(snapshot, 'tea.shop.svc.cluster.local')
    expect(found.map(({ network }) => network)).toEqual(wanted)
  })
})
