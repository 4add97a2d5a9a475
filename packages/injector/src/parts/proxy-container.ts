import { annotation } from '../annotations.js'
import type { Container, Handler, SecurityContext } from '../kubernetes.js'
import type { TemplateContext } from '../templates/context.js'
import { PROXY_UID } from './names.js'

/** Arguments of `pilot-agent proxy`. */
export function proxyArgs(context: TemplateContext, role: 'sidecar' | 'router'): string[] {
  const { metadata, values } = context
  const { proxy, sts, logAsJson } = values.global
  return [
    'proxy',
    role,
    '--domain',
    `$(POD_NAMESPACE).svc.${proxy.clusterDomain}`,
    `--proxyLogLevel=${annotation(metadata, 'sidecar.istio.io/logLevel', proxy.logLevel)}`,
    `--proxyComponentLogLevel=${annotation(metadata, 'sidecar.istio.io/componentLogLevel', proxy.componentLogLevel)}`,
    agentLogLevel(context),
    ...(sts.servicePort === 0 ? [] : [`--stsPort=${sts.servicePort}`]),
    ...(logAsJson ? ['--log_as_json'] : []),
    ...(proxy.outlierLogPath === '' ? [] : [`--outlierLogPath=${proxy.outlierLogPath}`]),
  ]
}

export function agentLogLevel({ metadata, values }: TemplateContext): string {
  return `--log_output_level=${annotation(metadata, 'sidecar.istio.io/agentLogLevel', values.global.logging.level)}`
}

/** How traffic is captured: REDIRECT, TPROXY or NONE. */
export function interceptionMode({ metadata, proxyConfig }: TemplateContext): string {
  return annotation(metadata, 'sidecar.istio.io/interceptionMode', proxyConfig.interceptionMode ?? 'REDIRECT')
}

/** The port of the agent's status server; '0' turns the proxy's probes off. */
export function statusPort({ metadata, values }: TemplateContext): string {
  return annotation(metadata, 'status.sidecar.istio.io/port', values.global.proxy.statusPort)
}

/** The annotations' requests and limits, all four of them together, or the values'. */
export function proxyResources({ metadata, values }: TemplateContext): NonNullable<Container['resources']> {
  const named = { cpu: 'proxyCPU', memory: 'proxyMemory' }
  const read = (suffix: string): Record<string, string> => {
    const amounts = Object.entries(named).map(([resource, name]) => [
      resource,
      metadata.annotations?.[`sidecar.istio.io/${name}${suffix}`],
    ])
    return Object.fromEntries(amounts.filter(([, amount]) => amount !== undefined)) as Record<string, string>
  }
  const requests = read('')
  const limits = read('Limit')
  const some = (amounts: object): boolean => Object.keys(amounts).length > 0
  if (!some(requests) && !some(limits)) return values.global.proxy.resources
  return { ...(some(requests) && { requests }), ...(some(limits) && { limits }) }
}

const READY: Handler = { httpGet: { path: '/healthz/ready', port: 15021 } }

/** Readiness and start-up probes; none where the status port is 0. */
export function proxyProbes(context: TemplateContext): Pick<Container, 'startupProbe' | 'readinessProbe'> {
  if (statusPort(context) === '0') return {}
  const { metadata, values } = context
  const { proxy } = values.global
  const seconds = (name: string, otherwise: number): number =>
    Number(annotation(metadata, `readiness.status.sidecar.istio.io/${name}`, otherwise))
  return {
    ...(proxy.startupProbe.enabled && { startupProbe: probe(READY, 0, 1, proxy.startupProbe.failureThreshold) }),
    readinessProbe: probe(
      READY,
      seconds('initialDelaySeconds', proxy.readinessInitialDelaySeconds),
      seconds('periodSeconds', proxy.readinessPeriodSeconds),
      seconds('failureThreshold', proxy.readinessFailureThreshold),
    ),
  }
}

export function probe(handler: Handler, initialDelaySeconds: number, periodSeconds: number, failureThreshold: number): Handler {
  return {
    ...handler,
    ...(initialDelaySeconds > 0 && { initialDelaySeconds }),
    periodSeconds,
    timeoutSeconds: 3,
    failureThreshold,
  }
}

/** What the container may do: nothing but its own work, unless capture or low ports need more. */
export function proxySecurity(context: TemplateContext): SecurityContext {
  const { metadata, values, proxyConfig } = context
  const { proxy } = values.global
  const readOnlyRootFilesystem = annotation(metadata, 'sidecar.istio.io/enableCoreDump', proxy.enableCoreDump) !== 'true'
  if (proxyConfig.proxyMetadata?.['IPTABLES_TRACE_LOGGING'] === 'true') {
    const capabilities = { add: ['NET_ADMIN'], drop: ['ALL'] }
    return {
      allowPrivilegeEscalation: true,
      capabilities,
      privileged: true,
      readOnlyRootFilesystem,
      runAsGroup: PROXY_UID,
      runAsNonRoot: false,
      runAsUser: 0,
    }
  }
  const add = [
    ...(interceptionMode(context) === 'TPROXY' ? ['NET_ADMIN'] : []),
    ...(annotation(metadata, 'sidecar.istio.io/capNetBindService', proxy.capNetBindService) === 'true'
      ? ['NET_BIND_SERVICE']
      : []),
  ]
  const root = add.length > 0
  return {
    allowPrivilegeEscalation: proxy.privileged,
    capabilities: { ...(root && { add }), drop: ['ALL'] },
    privileged: proxy.privileged,
    readOnlyRootFilesystem,
    runAsGroup: PROXY_UID,
    runAsNonRoot: !root,
    runAsUser: root ? 0 : PROXY_UID,
    ...seccomp(context),
  }
}

export function seccomp({ values }: TemplateContext): SecurityContext {
  const { seccompProfile } = values.global.proxy
  return seccompProfile === undefined ? {} : { seccompProfile }
}

/** A native sidecar drains when the pod begins to stop; an ordinary one may hold the app back until it is ready. */
export function proxyLifecycle(context: TemplateContext): Pick<Container, 'lifecycle'> {
  const { values, proxyConfig, nativeSidecar } = context
  const { lifecycle, holdApplicationUntilProxyStarts } = values.global.proxy
  if (lifecycle !== undefined) return { lifecycle }
  if (nativeSidecar) {
    const command = ['pilot-agent', 'request', `--debug-port=${statusPort(context)}`, 'POST', 'drain']
    return { lifecycle: { preStop: { exec: { command } } } }
  }
  const hold = proxyConfig.holdApplicationUntilProxyStarts === true || holdApplicationUntilProxyStarts
  return hold ? { lifecycle: { postStart: { exec: { command: ['pilot-agent', 'wait'] } } } } : {}
}
