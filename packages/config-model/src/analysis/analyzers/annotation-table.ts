/** An annotation that Istio knows (istio.io/api/annotation). */
export interface AnnotationDefinition {
  /** Kinds that it may stand on; `Any`: all. */
  readonly on: readonly string[]
  readonly status: 'alpha' | 'beta' | 'stable'
  readonly deprecated: boolean
}

type Row = readonly [names: string, on: string, status?: AnnotationDefinition['status']]

const ROWS: readonly Row[] = [
  ['ambient.istio.io/bypass-inbound-capture ambient.istio.io/dns-capture', 'Pod'],
  ['ambient.istio.io/redirection', 'Pod', 'beta'],
  ['ambient.istio.io/waypoint-inbound-binding', 'GatewayClass, Gateway'],
  ['galley.istio.io/analyze-suppress gateway.istio.io/controller-version', 'Any'],
  ['gateway.istio.io/name-override gateway.istio.io/service-account', 'Gateway'],
  ['inject.istio.io/templates', 'Pod'],
  ['install.operator.istio.io/chart-owner install.operator.istio.io/owner-generation install.operator.istio.io/version', 'Any'],
  ['istio.io/autoRegistrationGroup istio.io/connectedAt istio.io/disconnectedAt istio.io/workloadController', 'WorkloadEntry'],
  ['istio.io/dry-run', 'AuthorizationPolicy'],
  ['istio.io/rev istio.io/reroute-virtual-interfaces', 'Pod'],
  ['kubernetes.io/ingress.class', 'Ingress', 'stable'],
  ['networking.istio.io/exportTo', 'Service'],
  ['networking.istio.io/service-type networking.istio.io/address-type', 'Gateway'],
  ['networking.istio.io/traffic-distribution', 'Service, ServiceEntry, Namespace'],
  ['prometheus.istio.io/merge-metrics', 'Pod'],
  ['proxy.istio.io/config', 'Pod', 'beta'],
  ['proxy.istio.io/overrides', 'Pod'],
  [
    'readiness.status.sidecar.istio.io/applicationPorts readiness.status.sidecar.istio.io/failureThreshold ' +
      'readiness.status.sidecar.istio.io/initialDelaySeconds readiness.status.sidecar.istio.io/periodSeconds',
    'Pod',
  ],
  [
    'sidecar.istio.io/agentLogLevel sidecar.istio.io/bootstrapOverride sidecar.istio.io/componentLogLevel ' +
      'sidecar.istio.io/enableCoreDump sidecar.istio.io/interceptionMode sidecar.istio.io/logLevel sidecar.istio.io/nativeSidecar ' +
      'sidecar.istio.io/proxyCPU sidecar.istio.io/proxyCPULimit sidecar.istio.io/proxyImage sidecar.istio.io/proxyImageType ' +
      'sidecar.istio.io/proxyMemory sidecar.istio.io/proxyMemoryLimit sidecar.istio.io/rewriteAppHTTPProbers ' +
      'sidecar.istio.io/statsCompression sidecar.istio.io/statsEvictionInterval sidecar.istio.io/statsHistogramBuckets ' +
      'sidecar.istio.io/status sidecar.istio.io/userVolume sidecar.istio.io/userVolumeMount status.sidecar.istio.io/port',
    'Pod',
  ],
  ['topology.istio.io/controlPlaneClusters', 'Namespace'],
  // Ours: puts an object into another cluster.
  ['topology.istio.io/cluster', 'Any'],
  ['traffic.istio.io/nodeSelector', 'Service', 'stable'],
  [
    'traffic.sidecar.istio.io/excludeInboundPorts traffic.sidecar.istio.io/excludeInterfaces ' +
      'traffic.sidecar.istio.io/excludeOutboundIPRanges traffic.sidecar.istio.io/excludeOutboundPorts ' +
      'traffic.sidecar.istio.io/includeInboundPorts traffic.sidecar.istio.io/includeOutboundIPRanges ' +
      'traffic.sidecar.istio.io/includeOutboundPorts traffic.sidecar.istio.io/kubevirtInterfaces',
    'Pod',
  ],
]

const DEPRECATED_ROWS: readonly Row[] = [
  ['alpha.istio.io/canonical-serviceaccounts alpha.istio.io/kubernetes-serviceaccounts', 'Service'],
  [
    'sidecar.istio.io/discoveryAddress sidecar.istio.io/extraStatTags sidecar.istio.io/statsInclusionPrefixes ' +
      'sidecar.istio.io/statsInclusionRegexps sidecar.istio.io/statsInclusionSuffixes',
    'Pod',
  ],
]

function definitions(rows: readonly Row[], deprecated: boolean): [string, AnnotationDefinition][] {
  return rows.flatMap(([names, on, status = 'alpha']) =>
    names.split(' ').map((name): [string, AnnotationDefinition] => [name, { on: on.split(', '), status, deprecated }]),
  )
}

const TABLE: ReadonlyMap<string, AnnotationDefinition> = new Map([
  ...definitions(ROWS, false),
  ...definitions(DEPRECATED_ROWS, true),
  // The label of the same name replaces it.
  ['sidecar.istio.io/inject', { on: ['Pod'], status: 'beta', deprecated: true }],
])

export function annotationDefinition(name: string): AnnotationDefinition | undefined {
  return TABLE.get(name)
}

/** Whether the annotation is in Istio's hands: below istio.io, or the one of Kubernetes that Istio documents. */
export function isIstioAnnotation(name: string): boolean {
  return name === 'kubernetes.io/ingress.class' || (name.split('/')[0] ?? '').endsWith('istio.io')
}
