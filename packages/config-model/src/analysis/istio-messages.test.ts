import { expect, test } from 'vitest'
import { type AnalysisOptions, analyzeFiles } from './analyze.js'
import type { Analyzer } from './analyzer.js'
import { ANALYZERS, OPTIONAL_ANALYZERS } from './analyzers/index.js'
import { ISTIO_MESSAGES, MESSAGES } from './messages.js'

type Body = Readonly<Record<string, unknown>>

const object =
  (apiVersion: string, kind: string, body: string) =>
  (spec: Body, metadata: Body = {}): Body => {
    const head = { apiVersion, kind, metadata: { name: 'a', namespace: 'shop', ...metadata } }
    return body === '' ? { ...head, ...spec } : { ...head, [body]: spec }
  }

const virtualService = object('networking.istio.io/v1', 'VirtualService', 'spec')
const destinationRule = object('networking.istio.io/v1', 'DestinationRule', 'spec')
const gateway = object('networking.istio.io/v1', 'Gateway', 'spec')
const serviceEntry = object('networking.istio.io/v1', 'ServiceEntry', 'spec')
const sidecar = object('networking.istio.io/v1', 'Sidecar', 'spec')
const envoyFilter = object('networking.istio.io/v1alpha3', 'EnvoyFilter', 'spec')
const authorization = object('security.istio.io/v1', 'AuthorizationPolicy', 'spec')
const requests = object('security.istio.io/v1', 'RequestAuthentication', 'spec')
const telemetry = object('telemetry.istio.io/v1', 'Telemetry', 'spec')
const pod = object('v1', 'Pod', 'spec')
const service = object('v1', 'Service', 'spec')
const configMap = object('v1', 'ConfigMap', 'data')
const secret = object('v1', 'Secret', 'data')
const deployment = object('apps/v1', 'Deployment', 'spec')
const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'spec')
const mutating = object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', '')
const validating = object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', '')
const namespace = (labels: Body = {}): Body => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } })

const INJECTED = namespace({ 'istio-injection': 'enabled' })
const APP = { app: 'a' }
const template = (spec: Body = {}, labels: Body = APP): Body => ({ template: { metadata: { labels }, spec } })
const port = (number: number, name = 'http', more: Body = {}): Body => ({ name, port: number, ...more })
const to = (host: string, more: Body = {}): Body => ({ route: [{ destination: { host, ...more } }] })
const proxy = (image: string): Body => ({ containers: [{ name: 'istio-proxy', image }] })
const server = (more: Body = {}): Body => ({ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'], ...more })
const INGRESS = { istio: 'ingressgateway' }
const patch = (operation: string, applyTo = 'NETWORK_FILTER', more: Body = {}): Body => ({
  configPatches: [{ applyTo, match: { context: 'GATEWAY' }, patch: { operation, value: { name: 'f' } }, ...more }],
})
const annotated = (name: string, value: string): Body => ({ annotations: { [name]: value }, labels: APP })
const crd = (versions: readonly string[], metadata: Body = {}): Body =>
  definition(
    {
      group: 'gateway.networking.k8s.io',
      names: { kind: 'HTTPRoute' },
      versions: versions.map((name) => ({ name, served: true })),
    },
    { name: 'grpcroutes.gateway.networking.k8s.io', namespace: undefined, ...metadata },
  )
const hook = (name: string, clientConfig: Body): Body => ({ name, clientConfig })

/** The least that makes each message, by its code. */
const EXAMPLES: Readonly<Record<string, readonly Body[]>> = {
  IST0002: [sidecar({ outboundTrafficPolicy: { egressProxy: { host: 'a' } } })],
  IST0101: [virtualService({ hosts: ['a'], http: [to('nowhere')] })],
  IST0102: [namespace()],
  IST0103: [INJECTED, pod({ containers: [{ name: 'app' }] })],
  IST0106: [virtualService({ hosts: [] })],
  IST0107: [service({}, annotated('sidecar.istio.io/proxyCPU', '1'))],
  IST0108: [pod({}, annotated('sidecar.istio.io/nonsense', '1'))],
  IST0109: [virtualService({ hosts: ['a'] }), virtualService({ hosts: ['a'] }, { name: 'b' })],
  IST0110: [
    pod({}, { labels: APP }),
    sidecar({ workloadSelector: { labels: APP } }),
    sidecar({ workloadSelector: { labels: APP } }, { name: 'b' }),
  ],
  IST0111: [sidecar({}), sidecar({}, { name: 'b' })],
  IST0112: [virtualService({ hosts: ['a'], http: [to('a')] }), service({ ports: [port(80), port(81, 'http-b')] })],
  IST0116: [
    INJECTED,
    deployment(template()),
    service({ selector: APP, ports: [port(80)] }),
    service({ selector: APP, ports: [port(80, 'udp', { protocol: 'UDP' })] }, { name: 'b' }),
  ],
  IST0118: [service({ ports: [port(80, 'web')] })],
  IST0123: [namespace({ 'istio-injection': 'enabled', 'istio.io/rev': 'canary' })],
  IST0125: [pod({}, annotated('sidecar.istio.io/interceptionMode', 'x'))],
  IST0126: [
    configMap(
      { meshNetworks: 'networks: {n: {endpoints: [{fromRegistry: elsewhere}], gateways: [{address: 192.0.2.1, port: 15443}]}}' },
      { name: 'istio', namespace: 'istio-system' },
    ),
  ],
  IST0127: [authorization({ selector: { matchLabels: APP } })],
  IST0128: [destinationRule({ host: 'a', trafficPolicy: { tls: { mode: 'SIMPLE' } } })],
  IST0129: [
    destinationRule({ host: 'a', trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: 'SIMPLE' } }] } }),
  ],
  IST0130: [virtualService({ hosts: ['a'], http: [to('a'), to('a')] })],
  IST0131: [
    virtualService({
      hosts: ['a'],
      http: [
        { match: [{ uri: { prefix: '/a' } }], ...to('a') },
        { match: [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }], ...to('a') },
      ],
    }),
  ],
  IST0132: [gateway({ servers: [server({ hosts: ['b.com'] })] }), virtualService({ hosts: ['a.com'], gateways: ['a'] })],
  IST0133: [authorization({ action: 'DENY', rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })],
  IST0134: [serviceEntry({ hosts: ['a.com'], ports: [{ number: 1, name: 'tcp', protocol: 'TCP' }], resolution: 'DNS' })],
  IST0135: [pod({}, annotated('sidecar.istio.io/inject', 'true'))],
  IST0136: [pod({}, annotated('sidecar.istio.io/proxyCPU', '1'))],
  IST0137: [
    INJECTED,
    deployment(template()),
    service({ selector: APP, ports: [port(80, 'http', { targetPort: 8080 })] }),
    service({ selector: APP, ports: [port(81, 'http', { targetPort: 8080 })] }, { name: 'b' }),
  ],
  IST0138: ['a', 'b'].map((name) =>
    gateway(
      {
        selector: INGRESS,
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            hosts: [`${name}.com`],
            tls: { mode: 'SIMPLE', credentialName: 'c' },
          },
        ],
      },
      { name },
    ),
  ),
  IST0139: [
    mutating(
      { webhooks: [hook('rev.istio.io', { service: { name: 'istiod', namespace: 'istio-system' } })] },
      { namespace: undefined },
    ),
  ],
  IST0140: [
    virtualService({ hosts: ['a'], http: [to('a', { subset: 'v1' })] }),
    virtualService({ hosts: ['a.com'], gateways: ['a'], http: [to('a')] }, { name: 'b' }),
  ],
  IST0141: [],
  IST0142: [],
  IST0143: [pod({}), service({ ports: [port(80)] })],
  IST0144: [pod({ securityContext: { runAsUser: 1337 } })],
  IST0145: [gateway({ servers: [server()] }), gateway({ servers: [server()] }, { name: 'b' })],
  IST0146: [deployment(template(proxy('auto')))],
  IST0147: [pod(proxy('auto'))],
  IST0148: [
    namespace(),
    configMap(
      { values: '{"sidecarInjectorWebhook": {"enableNamespacesByDefault": true}}' },
      { name: 'istio-sidecar-injector', namespace: 'istio-system' },
    ),
  ],
  IST0149: [
    gateway({ selector: INGRESS, servers: [server()] }),
    virtualService({
      hosts: ['a.com'],
      gateways: ['a'],
      http: [{ match: [{ headers: { '@request.auth.claims.group': { exact: 'x' } } }], ...to('a') }],
    }),
  ],
  IST0150: [service({ type: 'ExternalName', externalName: 'a.com', ports: [port(80, 'web')] })],
  IST0151: [envoyFilter(patch('INSERT_BEFORE'))],
  IST0152: [envoyFilter(patch('REPLACE', 'LISTENER'))],
  IST0153: [envoyFilter(patch('ADD', 'HTTP_ROUTE'))],
  IST0154: [envoyFilter(patch('REMOVE', 'HTTP_ROUTE'))],
  IST0155: [
    envoyFilter(patch('ADD', 'CLUSTER', { match: { context: 'GATEWAY', proxy: { proxyVersion: '1.2.*' } } })),
    envoyFilter(patch('INSERT_BEFORE'), { name: 'b' }),
  ],
  IST0156: [crd(['v1alpha2'])],
  IST0157: [telemetry({ accessLogging: [{ disabled: false }] })],
  IST0158: [
    INJECTED,
    configMap(
      { values: '{"global": {"hub": "hub", "tag": "2", "proxy": {"image": "proxyv2"}}}' },
      { name: 'istio-sidecar-injector', namespace: 'istio-system' },
    ),
    pod(proxy('hub/proxyv2:1')),
  ],
  IST0159: [
    pod({}, { labels: APP }),
    telemetry({ selector: { matchLabels: APP } }),
    telemetry({ selector: { matchLabels: APP } }, { name: 'b' }),
  ],
  IST0160: [telemetry({}), telemetry({}, { name: 'b' })],
  IST0161: [
    gateway({
      selector: INGRESS,
      servers: [
        {
          port: { number: 443, name: 'https', protocol: 'HTTPS' },
          hosts: ['a.com'],
          tls: { mode: 'SIMPLE', credentialName: 'c' },
        },
      ],
    }),
    secret({ 'tls.crt': 'eA==', 'tls.key': 'eA==' }, { name: 'c', namespace: 'istio-system' }),
  ],
  IST0162: [gateway({ selector: INGRESS, servers: [server({ port: { number: 81, name: 'http', protocol: 'HTTP' } })] })],
  IST0163: [validating({ webhooks: [hook('a', { url: 'nonsense' })] }, { name: 'istio-validator', namespace: undefined })],
  IST0164: [
    validating(
      { webhooks: [hook('a', { url: 'https://192.0.2.1:15017/validate' })] },
      { name: 'istio-validator', namespace: undefined },
    ),
  ],
  IST0165: [virtualService({ hosts: ['a.com'], gateways: ['shop/a-istio-autogenerated-k8s-gateway-http'] })],
  IST0166: [
    pod({}, { labels: { 'gateway.networking.k8s.io/gateway-name': 'g', ...APP } }),
    authorization({ selector: { matchLabels: APP } }),
  ],
  IST0167: [namespace({ 'istio.io/dataplane-mode': 'ambient' }), sidecar({})],
  IST0168: [envoyFilter(patch('MERGE', 'CLUSTER'))],
  IST0169: [service({ type: 'ExternalName', externalName: 'a.com' })],
  IST0170: [
    service({ clusterIP: 'None', ports: [port(80)] }),
    service({ clusterIP: '10.0.0.1', ports: [port(80)] }, { annotations: { 'topology.istio.io/cluster': 'c2' } }),
  ],
  IST0171: [
    {
      ...authorization({}),
      status: { conditions: [{ type: 'ZtunnelAccepted', status: 'False', reason: 'r', message: 'm' }] },
    },
  ],
  IST0172: [crd(['v1beta1'])],
  IST0173: [
    service({ selector: APP, ports: [port(80)] }),
    destinationRule({ host: 'a', subsets: [{ name: 'v1', labels: { version: 'v1' } }] }),
  ],
  IST0174: [destinationRule({ host: 'nowhere' })],
  IST0175: [
    requests({ jwtRules: [{ issuer: 'i' }] }),
    deployment(template({ containers: [{ name: 'discovery' }] }), { labels: { app: 'istiod' } }),
  ],
  IST0176: [crd(['v1'], { annotations: { 'gateway.networking.k8s.io/bundle-version': 'v0.8.0' } })],
  IST0177: [
    serviceEntry({ hosts: ['a.com'], ports: [{ number: 80, name: 'p', protocol: 'HTTP' }], resolution: 'DNS' }),
    serviceEntry({ hosts: ['a.com'], ports: [{ number: 80, name: 'p', protocol: 'TCP' }], resolution: 'DNS' }, { name: 'b' }),
  ],
  IST0178: [
    authorization({ targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'r' }] }),
    envoyFilter(patch('INSERT_BEFORE', 'HTTP_FILTER')),
  ],
}

/** What only a look at a live cluster tells. */
const CLUSTER = {
  kubernetesVersion: 'v1.18.0',
  denied: [{ resource: 'pods', reason: 'no' }],
  localhostPorts: [{ namespace: 'shop', pod: 'a', port: 80 }],
  fromVersion: '1.19',
}

const ALL: readonly Analyzer[] = [...ANALYZERS, ...OPTIONAL_ANALYZERS]
const BY_CODE = new Map(Object.values(ISTIO_MESSAGES).map((type) => [type[1] as string, type]))

function analyze(objects: readonly Body[], options: Partial<AnalysisOptions> = {}): ReturnType<typeof analyzeFiles> {
  const text = objects.map((one) => JSON.stringify(one)).join('\n---\n')
  return analyzeFiles([{ file: 'a.yaml', text }], { now: 0, analyzers: ALL, cluster: CLUSTER, ...options })
}

test('there is an example for each of Istio’s messages', () => {
  expect(Object.keys(EXAMPLES)).toEqual([...BY_CODE.keys()].filter((code) => code !== 'IST0001').sort())
  expect(BY_CODE.size).toBe(69)
})

test.each(Object.entries(EXAMPLES))('%s, by its name, its level and its text', (code, objects) => {
  const found = analyze(objects).filter((message) => message.code === code)
  const [severity, , template] = BY_CODE.get(code)!
  expect(found.length).toBeGreaterThan(0)
  const parts = template.split(/%[sqdv]/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  for (const { severity: level, name, message, analyzer } of found) {
    expect(level).toBe(severity)
    expect(MESSAGES[name][1]).toBe(code)
    expect(message).toMatch(new RegExp(`^${parts.join('[^]*')}$`))
    expect(ALL.find((one) => one.name === analyzer)?.messages).toContain(name)
  }
})

test('nobody tells what it does not declare', () => {
  const messages = analyze(Object.values(EXAMPLES).flat())
  for (const { analyzer, name } of messages) expect(ALL.find((one) => one.name === analyzer)?.messages).toContain(name)
})

test('IST0001: an analyzer that fails is told, and the others go on', () => {
  const broken: Analyzer = {
    name: 'broken',
    summary: '',
    messages: [],
    analyze: () => {
      throw new Error('oh')
    },
  }
  const found = analyze([namespace()], { analyzers: [broken, ...ANALYZERS], cluster: {} })
  expect(found.map(({ code, message }) => `${code} ${message}`)[0]).toBe('IST0001 Internal error: broken: oh')
  expect(found.map(({ code }) => code)).toContain('IST0102')
})

test('the levels are Istio’s', () => {
  const of = (level: string): string =>
    [...BY_CODE.values()].flatMap(([severity, code]) => (severity === level ? [code.slice(4)] : [])).join(' ')
  expect(of('error')).toBe('001 101 106 109 110 111 112 126 139 141 142 143 145 147 149 152 153 154 156 159 160 161 173')
  expect(of('info')).toBe('102 118 131 135 136 148 164')
})
