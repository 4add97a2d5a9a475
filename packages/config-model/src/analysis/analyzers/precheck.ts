import type { Analyzer, Report } from '../analyzer.js'
import type { AnalysisContext } from '../context.js'
import type { ConfigObject } from '../object.js'

const MINIMUM_MINOR = 32

// What is told about the cluster itself.
const CLUSTER: ConfigObject = {
  kind: 'Cluster',
  group: '',
  known: undefined,
  metadata: { name: '', namespace: '', labels: {}, annotations: {} },
  spec: {},
  written: {},
}

/** What only a cluster can tell, from the facts that a caller has found out (`istioctl x precheck`). */
export const precheck: Analyzer = {
  name: 'precheck.Cluster',
  summary: 'the Kubernetes version, permissions, and ports that listen on localhost, where a caller says them',
  messages: ['UnsupportedKubernetesVersion', 'InsufficientPermissions', 'LocalhostListener'],
  analyze(context, report) {
    const { kubernetesVersion, denied = [], localhostPorts = [] } = context.cluster
    if (kubernetesVersion !== undefined && minorOf(kubernetesVersion) < MINIMUM_MINOR)
      report('UnsupportedKubernetesVersion', CLUSTER, '', kubernetesVersion, `1.${MINIMUM_MINOR}`)
    for (const { resource, reason } of denied) report('InsufficientPermissions', CLUSTER, '', resource, reason)
    for (const { namespace, pod, port } of localhostPorts) {
      const object = context.find('Pod', `${namespace}/${pod}`)
      if (object !== undefined && isExposed(namespace, port, context)) report('LocalhostListener', object, '', port)
    }
  },
}

/** What is configured and means something else after an upgrade from the release that a caller names. */
export const upgrade: Analyzer = {
  name: 'precheck.Upgrade',
  summary: 'configuration that means something else after an upgrade, where a caller says from what',
  messages: ['UpdateIncompatibility', 'UnknownUpgradeCompatibility'],
  analyze(context, report) {
    const { fromVersion } = context.cluster
    if (fromVersion === undefined) return
    const from = minorOf(fromVersion)
    if (from < 20) checkBefore20(context, report)
    if (from < 21) checkBefore21(context, report)
    if (from < 22) checkBefore22(context, report)
    for (const filter of context.of('EnvoyFilter'))
      report('UnknownUpgradeCompatibility', filter, '', 'EnvoyFilter', fromVersion, GENERATED, fromVersion)
  },
}

const GENERATED = 'it patches what istiod generates, which every release may change'

function checkBefore20(context: AnalysisContext, report: Report): void {
  const text = 'ExternalName services are aliases of the service that they name'
  for (const service of context.of('Service'))
    if (service.spec.type === 'ExternalName')
      report('UpdateIncompatibility', service, 'spec.type', 'ENABLE_EXTERNAL_NAME_ALIAS', '1.20', text, '1.20')
}

function checkBefore21(context: AnalysisContext, report: Report): void {
  const verified = 'previously, TLS verification was skipped. Set `insecureSkipVerify` if this behavior is desired'
  for (const rule of context.of('DestinationRule')) {
    const tls = rule.spec.trafficPolicy?.tls
    if (tls?.mode !== 'SIMPLE' || (tls.caCertificates ?? '') !== '' || tls.insecureSkipVerify !== undefined) continue
    report('UpdateIncompatibility', rule, 'spec.trafficPolicy.tls', 'VERIFY_CERTIFICATE_AT_CLIENT', '1.20', verified, '1.20')
  }
  const respected = 'ServiceEntry with resolution NONE and a targetPort set previously did nothing but now is respected'
  for (const entry of context.of('ServiceEntry')) {
    const odd =
      (entry.spec.resolution ?? 'NONE') === 'NONE' && (entry.spec.ports ?? []).some(({ targetPort }) => targetPort !== undefined)
    if (odd) report('UpdateIncompatibility', entry, 'spec.ports', 'ENABLE_RESOLUTION_NONE_TARGET_PORT', '1.21', respected, '1.20')
  }
}

function checkBefore22(context: AnalysisContext, report: Report): void {
  const zipkin = context.find('Service', `${context.meshConfig.rootNamespace}/zipkin`)
  if (zipkin === undefined) return
  const text = "tracing is no longer by default enabled to send to 'zipkin.istio-system.svc': name a provider in Telemetry"
  report('UpdateIncompatibility', zipkin, '', 'meshConfig.defaultConfig.tracer', '1.21', text, '1.21')
}

// Of 1.x; what is no 1.x counts as 0.
function minorOf(version: string): number {
  return Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 0)
}

function isExposed(namespace: string, port: number, context: AnalysisContext): boolean {
  const services = context.of('Service').filter(({ metadata }) => metadata.namespace === namespace)
  return services.some(({ spec }) => (spec.ports ?? []).some((one) => (one.targetPort ?? one.port) === port))
}
