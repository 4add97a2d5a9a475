import { annotation } from '../annotations.js'
import type { Container, Handler } from '../kubernetes.js'
import type { TemplateContext } from '../templates/context.js'
import { proxyImage, pullPolicy } from './image.js'
import { PROXY_CONTAINER, PROXY_UID } from './names.js'

const READY: Handler = { httpGet: { path: '/healthz/ready', port: 15_021, scheme: 'HTTP' } }

/** What the proxies that are deployed for Gateways have in common: it stands alone in its pod, and may do nothing but its work. */
export function gatewayContainer(context: TemplateContext): Container {
  const { values } = context
  return {
    name: PROXY_CONTAINER,
    image: proxyImage(context, values.global.proxy.image),
    ...pullPolicy(context),
    ports: [
      { containerPort: 15_020, name: 'metrics', protocol: 'TCP' },
      { containerPort: 15_021, name: 'status-port', protocol: 'TCP' },
      { containerPort: 15_090, name: 'http-envoy-prom', protocol: 'TCP' },
    ],
    startupProbe: probe(30, 1, 1),
    readinessProbe: probe(4, 0, 15),
    securityContext: {
      capabilities: { drop: ['ALL'] },
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      // OpenShift gives each namespace its own users.
      ...(values.global.platform !== 'openshift' && { runAsUser: PROXY_UID, runAsGroup: PROXY_UID }),
      runAsNonRoot: true,
    },
  }
}

function probe(failureThreshold: number, initialDelaySeconds: number, periodSeconds: number): Handler {
  return { ...READY, failureThreshold, initialDelaySeconds, periodSeconds, successThreshold: 1, timeoutSeconds: 1 }
}

/** Arguments of `pilot-agent proxy`, as Istio's gateway templates write them. */
export function gatewayArgs(
  { metadata, values }: TemplateContext,
  role: 'router' | 'waypoint',
  more: readonly string[],
): string[] {
  const { proxy, logging, logAsJson } = values.global
  return [
    ...['proxy', role],
    ...['--domain', `$(POD_NAMESPACE).svc.${proxy.clusterDomain}`],
    ...more,
    ...['--proxyLogLevel', annotation(metadata, 'sidecar.istio.io/logLevel', proxy.logLevel)],
    ...['--proxyComponentLogLevel', annotation(metadata, 'sidecar.istio.io/componentLogLevel', proxy.componentLogLevel)],
    ...['--log_output_level', annotation(metadata, 'sidecar.istio.io/agentLogLevel', logging.level)],
    ...(logAsJson ? ['--log_as_json'] : []),
  ]
}
