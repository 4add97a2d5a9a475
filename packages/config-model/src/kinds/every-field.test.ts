import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { decodeResource } from '../decode/resource.js'
import { readMeshConfig } from '../mesh-config.js'
import { readMeshNetworks } from './mesh-networks.js'

// Every field of Istio's API, each once. Whether they fit together is not the question: whether each is known is.

const match = {
  name: 'm',
  uri: { exact: '/' },
  scheme: { exact: 'https' },
  method: { prefix: 'G' },
  authority: { regex: '.*' },
  headers: { a: { exact: 'b' } },
  withoutHeaders: { a: {} },
  queryParams: { q: { exact: '' } },
  ignoreUriCase: true,
  port: 80,
  sourceLabels: { a: 'b' },
  sourceNamespace: 'ns',
  gateways: ['mesh'],
  statPrefix: 'p',
}
const destination = { host: 'h', subset: 's', port: { number: 80 } }
const headers = { request: { set: { a: 'b' }, add: { a: 'b' }, remove: ['a'] }, response: { set: {}, add: {}, remove: [] } }
const percentage = { value: 1.5 }
const http = {
  name: 'r',
  match: [match],
  route: [{ destination, weight: 1, headers }],
  redirect: { uri: '/', prefixRewrite: '/', authority: 'a', scheme: 'https', port: 443, redirectCode: 301 },
  directResponse: { status: 200, body: { string: 'x' } },
  delegate: { name: 'd', namespace: 'n' },
  rewrite: { uri: '/', authority: 'a', uriRegexRewrite: { match: 'a', rewrite: 'b' } },
  timeout: '1s',
  retries: {
    attempts: 1,
    perTryTimeout: '1s',
    retryOn: '5xx',
    retryRemoteLocalities: true,
    retryIgnorePreviousHosts: false,
    backoff: '1s',
  },
  fault: { delay: { percentage, fixedDelay: '1s' }, abort: { percentage, httpStatus: 500 } },
  mirror: destination,
  mirrorPercentage: percentage,
  mirrors: [{ destination, percentage }],
  corsPolicy: {
    allowOrigins: [{ exact: '*' }],
    allowMethods: ['GET'],
    allowHeaders: ['a'],
    exposeHeaders: ['b'],
    maxAge: '1s',
    allowCredentials: true,
    unmatchedPreflights: 'IGNORE',
  },
  headers,
}
const l4 = { destinationSubnets: ['10.0.0.0/8'], port: 80, sourceLabels: { a: 'b' }, gateways: ['mesh'], sourceNamespace: 'ns' }

const clientTls = {
  mode: 'MUTUAL',
  clientCertificate: 'c',
  privateKey: 'k',
  caCertificates: 'ca',
  caCrl: 'crl',
  credentialName: 'n',
  subjectAltNames: ['s'],
  sni: 'sni',
  insecureSkipVerify: false,
}
const connectionPool = {
  tcp: {
    maxConnections: 1,
    connectTimeout: '1s',
    tcpKeepalive: { probes: 1, time: '1s', interval: '1s' },
    maxConnectionDuration: '1s',
    idleTimeout: '1s',
  },
  http: {
    http1MaxPendingRequests: 1,
    http2MaxRequests: 1,
    maxRequestsPerConnection: 1,
    maxRetries: 1,
    idleTimeout: '1s',
    h2UpgradePolicy: 'UPGRADE',
    useClientProtocol: false,
    maxConcurrentStreams: 1,
    http2KeepAlive: { interval: '1s', timeout: '1s' },
  },
}
const outlierDetection = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 1,
  consecutiveGatewayErrors: 1,
  consecutive5xxErrors: 1,
  interval: '1s',
  baseEjectionTime: '1s',
  maxEjectionPercent: 1,
  minHealthPercent: 1,
  outlierDetectionHttpErrorCodes: ['500'],
}
const locality = {
  distribute: [{ from: 'a/*', to: { 'a/b': 100 } }],
  failover: [{ from: 'a', to: 'b' }],
  failoverPriority: ['topology.istio.io/network'],
  enabled: true,
}
const loadBalancer = {
  simple: 'RANDOM',
  consistentHash: {
    httpHeaderName: 'h',
    httpCookie: { name: 'c', path: '/', ttl: '1s', attributes: [{ name: 'SameSite', value: 'Lax' }] },
    useSourceIp: true,
    httpQueryParameterName: 'q',
    ringHash: { minimumRingSize: 1 },
    maglev: { tableSize: 3 },
  },
  localityLbSetting: locality,
  zoneAwareLbSetting: { enabled: true, failover: [{ from: 'a', to: 'b' }], failoverPriority: ['a'], minClusterSize: 1 },
  warmup: { duration: '1s', minimumPercent: 1, aggression: 1 },
}
const trafficPolicy = {
  loadBalancer,
  connectionPool,
  outlierDetection,
  tls: clientTls,
  portLevelSettings: [{ port: { number: 80 }, loadBalancer, connectionPool, outlierDetection, tls: clientTls }],
  tunnel: { protocol: 'CONNECT', targetHost: 'h', targetPort: 1 },
  proxyProtocol: { version: 'V2' },
  retryBudget: { percent: 20, minRetryConcurrency: 3, budgetInterval: '1s' },
}
const serverTls = {
  httpsRedirect: true,
  mode: 'MUTUAL',
  serverCertificate: 'c',
  privateKey: 'k',
  caCertificates: 'ca',
  caCrl: 'crl',
  tlsCertificates: [{ serverCertificate: 'c', privateKey: 'k', caCertificates: 'ca' }],
  credentialName: 'n',
  credentialNames: ['n'],
  caCertCredentialName: 'n',
  subjectAltNames: ['s'],
  verifyCertificateSpki: ['x'],
  verifyCertificateHash: ['x'],
  minProtocolVersion: 'TLSV1_2',
  maxProtocolVersion: 'TLSV1_3',
  cipherSuites: ['ECDHE-RSA-AES256-GCM-SHA384'],
  ecdhCurves: ['P-256'],
}
const workload = {
  address: '10.0.0.1',
  ports: { http: 80 },
  labels: { a: 'b' },
  network: 'n',
  locality: 'r/z/s',
  weight: 1,
  serviceAccount: 'sa',
}
const selector = { matchLabels: { a: 'b' } }
const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'g', namespace: 'ns' }]
const probe = { initialDelaySeconds: 1, timeoutSeconds: 1, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 }

const NETWORKING = 'networking.istio.io/v1'
const SECURITY = 'security.istio.io/v1'

const OBJECTS: readonly (readonly [apiVersion: string, kind: string, spec: object])[] = [
  [
    NETWORKING,
    'VirtualService',
    {
      hosts: ['h'],
      gateways: ['mesh'],
      http: [http],
      tls: [{ match: [{ ...l4, sniHosts: ['h'] }], route: [{ destination, weight: 1 }] }],
      tcp: [{ match: [{ ...l4, sourceSubnet: '10.0.0.0/8' }], route: [{ destination, weight: 1 }] }],
      exportTo: ['*'],
    },
  ],
  ...[{ derivePort: 'FROM_REQUEST_PORT' }].map(
    (redirect) => [NETWORKING, 'VirtualService', { hosts: ['h'], http: [{ redirect }] }] as const,
  ),
  ...[{ fixedDelay: '1s', percent: 5 }, { exponentialDelay: '1s' }].map(
    (delay) => [NETWORKING, 'VirtualService', { hosts: ['h'], http: [{ ...http, fault: { delay } }] }] as const,
  ),
  ...[{ grpcStatus: 'OK' }, { http2Error: 'x' }].map(
    (abort) => [NETWORKING, 'VirtualService', { hosts: ['h'], http: [{ ...http, fault: { abort } }] }] as const,
  ),
  [
    NETWORKING,
    'VirtualService',
    {
      hosts: ['h'],
      http: [
        {
          mirrorPercent: 5,
          mirror: destination,
          corsPolicy: { allowOrigin: ['*'] },
          directResponse: { status: 200, body: { bytes: 'eA==' } },
        },
      ],
    },
  ],
  [
    NETWORKING,
    'DestinationRule',
    {
      host: 'h',
      trafficPolicy,
      subsets: [{ name: 's', labels: { a: 'b' }, trafficPolicy }],
      exportTo: ['.'],
      workloadSelector: selector,
    },
  ],
  [
    NETWORKING,
    'DestinationRule',
    {
      host: 'h',
      trafficPolicy: {
        outlierDetection: { consecutiveErrors: 5 },
        loadBalancer: { simple: 'LEAST_CONN', warmupDurationSecs: '1s' },
      },
    },
  ],
  [
    NETWORKING,
    'DestinationRule',
    { host: 'h', trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true, minimumRingSize: 5 } } } },
  ],
  [
    NETWORKING,
    'Gateway',
    {
      selector: { a: 'b' },
      servers: [
        {
          port: { number: 443, protocol: 'HTTPS', name: 'n', targetPort: 1 },
          bind: '0.0.0.0',
          hosts: ['ns/h'],
          name: 's',
          defaultEndpoint: '127.0.0.1:80',
          tls: serverTls,
        },
      ],
    },
  ],
  [
    NETWORKING,
    'ServiceEntry',
    {
      hosts: ['h'],
      addresses: ['10.0.0.1'],
      ports: [{ number: 80, protocol: 'HTTP', name: 'http', targetPort: 81 }],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      endpoints: [workload],
      workloadSelector: { labels: { a: 'b' } },
      exportTo: ['*'],
      subjectAltNames: ['s'],
    },
  ],
  [NETWORKING, 'WorkloadEntry', workload],
  [
    NETWORKING,
    'WorkloadGroup',
    {
      metadata: { labels: { a: 'b' }, annotations: { a: 'b' } },
      template: workload,
      probe: { ...probe, httpGet: { httpHeaders: [{ name: 'a', value: 'b' }], path: '/', port: 80, host: 'h', scheme: 'HTTP' } },
    },
  ],
  ...[{ tcpSocket: { host: 'h', port: 80 } }, { exec: { command: ['x'] } }, { grpc: { port: 80, service: 's' } }].map(
    (one) => [NETWORKING, 'WorkloadGroup', { template: workload, probe: { ...probe, ...one } }] as const,
  ),
  [
    NETWORKING,
    'Sidecar',
    {
      workloadSelector: { labels: { a: 'b' } },
      ingress: [
        {
          port: { number: 80, protocol: 'HTTP', name: 'n', targetPort: 1 },
          bind: '0.0.0.0',
          captureMode: 'IPTABLES',
          defaultEndpoint: '127.0.0.1:80',
          tls: serverTls,
          connectionPool,
        },
      ],
      egress: [{ port: { number: 80, protocol: 'HTTP', name: 'n' }, bind: '0.0.0.0', captureMode: 'NONE', hosts: ['*/*'] }],
      inboundConnectionPool: connectionPool,
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY', egressProxy: destination },
    },
  ],
  [
    NETWORKING,
    'EnvoyFilter',
    {
      workloadSelector: { labels: { a: 'b' } },
      targetRefs,
      priority: -1,
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          match: {
            context: 'SIDECAR_INBOUND',
            proxy: { proxyVersion: '.*', metadata: { a: 'b' } },
            listener: {
              portNumber: 80,
              portName: 'p',
              name: 'n',
              listenerFilter: 'f',
              filterChain: {
                name: 'n',
                sni: 's',
                transportProtocol: 'tls',
                applicationProtocols: 'h2',
                destinationPort: 80,
                filter: { name: 'f', subFilter: { name: 's' } },
              },
            },
          },
          patch: { operation: 'INSERT_BEFORE', value: { name: 'x' }, filterClass: 'AUTHZ' },
        },
        {
          applyTo: 'HTTP_ROUTE',
          match: {
            routeConfiguration: {
              portNumber: 80,
              portName: 'p',
              gateway: 'g',
              name: 'n',
              vhost: { name: 'v', domainName: 'd', route: { name: 'r', action: 'ROUTE' } },
            },
          },
          patch: { operation: 'MERGE', value: {} },
        },
        {
          applyTo: 'CLUSTER',
          match: { cluster: { portNumber: 80, service: 's', subset: 's', name: 'n' } },
          patch: { operation: 'REMOVE' },
        },
      ],
    },
  ],
  [
    'networking.istio.io/v1beta1',
    'ProxyConfig',
    { selector, concurrency: 1, environmentVariables: { A: 'b' }, image: { imageType: 'debug' } },
  ],
  [SECURITY, 'PeerAuthentication', { selector, mtls: { mode: 'STRICT' }, portLevelMtls: { 80: { mode: 'DISABLE' } } }],
  [
    SECURITY,
    'RequestAuthentication',
    {
      selector,
      targetRef: targetRefs[0],
      targetRefs,
      jwtRules: [
        {
          issuer: 'i',
          audiences: ['a'],
          jwksUri: 'https://x',
          jwks: '{}',
          fromHeaders: [{ name: 'h', prefix: 'p' }],
          fromParams: ['p'],
          fromCookies: ['c'],
          outputPayloadToHeader: 'h',
          outputClaimToHeaders: [{ header: 'h', claim: 'c' }],
          forwardOriginalToken: true,
          timeout: '1s',
          spaceDelimitedClaims: ['scope'],
        },
      ],
    },
  ],
  [
    SECURITY,
    'AuthorizationPolicy',
    {
      selector,
      targetRef: targetRefs[0],
      targetRefs,
      action: 'CUSTOM',
      provider: { name: 'p' },
      rules: [
        {
          from: [
            {
              source: Object.fromEntries(
                [
                  'principals',
                  'requestPrincipals',
                  'namespaces',
                  'serviceAccounts',
                  'ipBlocks',
                  'remoteIpBlocks',
                  'trustDomains',
                ].flatMap((name) => [
                  [name, ['x']],
                  [`not${name[0]!.toUpperCase()}${name.slice(1)}`, ['x']],
                ]),
              ),
            },
          ],
          to: [
            {
              operation: Object.fromEntries(
                ['hosts', 'ports', 'methods', 'paths'].flatMap((name) => [
                  [name, ['1']],
                  [`not${name[0]!.toUpperCase()}${name.slice(1)}`, ['1']],
                ]),
              ),
            },
          ],
          when: [{ key: 'source.ip', values: ['10.0.0.1'], notValues: ['10.0.0.2'] }],
        },
      ],
    },
  ],
  [
    'telemetry.istio.io/v1',
    'Telemetry',
    {
      selector,
      targetRef: targetRefs[0],
      targetRefs,
      tracing: [
        {
          match: { mode: 'CLIENT' },
          providers: [{ name: 'p' }],
          randomSamplingPercentage: 1,
          disableSpanReporting: false,
          customTags: {
            a: { literal: { value: 'x' } },
            b: { environment: { name: 'X', defaultValue: 'y' } },
            c: { header: { name: 'h', defaultValue: 'y' } },
          },
          useRequestIdForTraceSampling: true,
          enableIstioTags: true,
          disableContextPropagation: true,
        },
      ],
      metrics: [
        {
          providers: [{ name: 'p' }],
          overrides: [
            {
              match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' },
              disabled: false,
              tagOverrides: { a: { operation: 'UPSERT', value: 'x' } },
            },
            { match: { customMetric: 'm' } },
          ],
          reportingInterval: '5s',
        },
      ],
      accessLogging: [{ match: { mode: 'SERVER' }, providers: [{ name: 'p' }], disabled: false, filter: { expression: 'true' } }],
    },
  ],
  [
    'extensions.istio.io/v1alpha1',
    'WasmPlugin',
    {
      selector,
      targetRef: targetRefs[0],
      targetRefs,
      url: 'oci://x',
      sha256: 'a'.repeat(64),
      imagePullPolicy: 'Always',
      imagePullSecret: 's',
      verificationKey: 'k',
      pluginConfig: { a: 1 },
      pluginName: 'n',
      phase: 'AUTHN',
      priority: 1,
      failStrategy: 'FAIL_OPEN',
      vmConfig: { env: [{ name: 'A', valueFrom: 'INLINE', value: 'x' }] },
      match: [{ mode: 'CLIENT', ports: [{ number: 80 }] }],
      type: 'HTTP',
    },
  ],
]

const EXTENSION = { selector, targetRefs, phase: 'AUTHN', priority: 1, match: [{ mode: 'CLIENT' }] }
const EXTENSIONS: typeof OBJECTS = [
  ['extensions.istio.io/v1alpha1', 'TrafficExtension', { ...EXTENSION, lua: { inlineCode: 'x' } }],
  ['extensions.istio.io/v1alpha1', 'TrafficExtension', { ...EXTENSION, wasm: { url: 'oci://x' } }],
  ['telemetry.istio.io/v1', 'Telemetry', { tracing: [{ customTags: { a: { formatter: { value: 'x' } } } }] }],
]

describe('every field of', () => {
  it.each([...OBJECTS, ...EXTENSIONS])('%s %s is known', (apiVersion, kind, spec) => {
    const { diagnostics } = decodeResource({ apiVersion, kind, metadata: { name: 'x', namespace: 'ns' }, spec })
    const unread = diagnostics.filter(
      ({ code }) => code === 'config.unknown_field' || code === 'config.type' || code === 'config.duration',
    )
    expect(unread.map(formatDiagnostic)).toEqual([])
  })

  it('MeshConfig and its ProxyConfig is known', () => {
    const proxy = {
      configPath: 'x',
      binaryPath: 'x',
      serviceCluster: 'x',
      tracingServiceName: 'CANONICAL_NAME_ONLY',
      drainDuration: '1s',
      terminationDrainDuration: '1s',
      discoveryAddress: 'x',
      controlPlaneAuthPolicy: 'NONE',
      proxyAdminPort: 1,
      statusPort: 1,
      statNameLength: 1,
      statsdUdpAddress: 'x',
      zipkinAddress: 'x',
      envoyMetricsService: { address: 'x' },
      envoyAccessLogService: { address: 'x' },
      customConfigFile: 'x',
      proxyBootstrapTemplatePath: 'x',
      concurrency: 1,
      interceptionMode: 'TPROXY',
      proxyMetadata: { a: 'b' },
      runtimeValues: { a: 'b' },
      extraStatTags: ['a'],
      statsCompression: true,
      meshId: 'x',
      tracing: {
        zipkin: { address: 'x' },
        customTags: { a: { literal: { value: 'x' } } },
        maxPathTagLength: 1,
        sampling: 1,
        tlsSettings: clientTls,
        enableIstioTags: true,
      },
      proxyStatsMatcher: { inclusionPrefixes: ['a'], inclusionSuffixes: ['a'], inclusionRegexps: ['a'] },
      gatewayTopology: { numTrustedProxies: 1, forwardClientCertDetails: 'SANITIZE', proxyProtocol: {} },
      readinessProbe: { httpGet: { port: 1 } },
      holdApplicationUntilProxyStarts: true,
      caCertificatesPem: ['x'],
      image: { imageType: 'debug' },
      privateKeyProvider: { cryptomb: { pollDelay: '1s' } },
      proxyHeaders: {
        forwardedClientCert: 'SANITIZE',
        requestId: { disabled: true },
        server: { value: 'x' },
        attemptCount: { disabled: true },
        envoyDebugHeaders: { disabled: true },
        setCurrentClientCertDetails: { subject: true },
        preserveHttp1HeaderCase: true,
        xForwardedHost: { enabled: true },
        xForwardedPort: { enabled: true },
        metadataExchangeHeaders: { mode: 'IN_MESH' },
      },
      fileFlushInterval: '1s',
      fileFlushMinSizeKb: 1,
      connectionSettings: {
        profile: 'EDGE',
        listenerPerConnectionBufferLimitBytes: 1,
        clusterPerConnectionBufferLimitBytes: 1,
        httpIdleTimeout: '1s',
        httpMaxConnectionDuration: '1s',
        httpDrainTimeout: '1s',
        httpRequestTimeout: '1s',
        httpRequestHeadersTimeout: '1s',
        httpStreamIdleTimeout: '1s',
        httpMaxStreamDuration: '1s',
        httpMaxConcurrentStreams: 1,
        http2InitialStreamWindowSize: 65535,
        http2InitialConnectionWindowSize: 65535,
        httpHeadersWithUnderscoresAction: 'REJECT_REQUEST',
        httpMergeSlashes: true,
        httpPathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT',
        listenerConnectionLimit: 1,
        globalDownstreamConnectionLimit: 1,
      },
      discoveryRefreshDelay: '1s',
      parentShutdownDuration: '1m0s',
      connectTimeout: '10s',
      availabilityZone: 'x',
    }
    const text = JSON.stringify({
      proxyListenPort: 1,
      proxyInboundListenPort: 1,
      proxyHttpPort: 1,
      connectTimeout: '10s',
      protocolDetectionTimeout: '1s',
      tcpKeepalive: {},
      dnsRefreshRate: '1s',
      ingressClass: 'x',
      ingressService: 'x',
      ingressControllerMode: 'STRICT',
      ingressSelector: 'x',
      enableTracing: true,
      accessLogFile: 'x',
      accessLogFormat: 'x',
      accessLogEncoding: 'JSON',
      enableEnvoyAccessLogService: true,
      disableEnvoyListenerLog: true,
      defaultConfig: proxy,
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      inboundTrafficPolicy: { mode: 'LOCALHOST' },
      configSources: [{ address: 'fs:///x', subscribedResources: [] }],
      enableAutoMtls: true,
      trustDomain: 'x',
      trustDomainAliases: ['x'],
      caCertificates: [{ pem: 'x' }],
      defaultServiceExportTo: ['*'],
      defaultVirtualServiceExportTo: ['*'],
      defaultDestinationRuleExportTo: ['*'],
      rootNamespace: 'x',
      localityLbSetting: locality,
      h2UpgradePolicy: 'UPGRADE',
      defaultHttpRetryPolicy: { attempts: 1 },
      inboundClusterStatName: 'x',
      outboundClusterStatName: 'x',
      serviceSettings: [{ settings: { clusterLocal: true }, hosts: ['x'] }],
      discoverySelectors: [{ matchLabels: { a: 'b' } }],
      enablePrometheusMerge: true,
      verifyCertificateAtClient: true,
      extensionProviders: [{ name: 'x', zipkin: { service: 'x', port: 1 } }],
      defaultProviders: { tracing: ['x'], metrics: ['x'], accessLogging: ['x'] },
      pathNormalization: { normalization: 'BASE' },
      meshMTLS: { minProtocolVersion: 'TLSV1_3' },
      tlsDefaults: { ecdhCurves: ['P-256'] },
      mixerCheckServer: 'x',
      mixerReportServer: 'x',
      rdsRefreshDelay: '5s',
    })
    const { diagnostics } = readMeshConfig(text)
    expect(diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic)).toEqual([])
    expect(diagnostics.map(({ path }) => path).sort()).toEqual([
      'defaultConfig.availabilityZone',
      'defaultConfig.connectTimeout',
      'defaultConfig.discoveryRefreshDelay',
      'defaultConfig.parentShutdownDuration',
      'mixerCheckServer',
      'mixerReportServer',
      'rdsRefreshDelay',
    ])
  })

  it('MeshNetworks is known', () => {
    const networks = {
      a: {
        endpoints: [{ fromCidr: '10.0.0.0/8' }, { fromRegistry: 'r' }],
        gateways: [
          { address: '1.1.1.1', port: 1, locality: 'l' },
          { registryServiceName: 's', port: 1 },
        ],
      },
    }
    expect(readMeshNetworks(JSON.stringify({ networks })).diagnostics).toEqual([])
    expect(readMeshNetworks('networks: {a: {endponts: []}}').diagnostics[0]?.message).toContain('did you mean endpoints?')
  })
})
