import { annotation, parseBool } from '../annotations.js'
import type { Container, Handler, HttpGetAction, PodTemplate } from '../kubernetes.js'
import type { MeshConfigInput } from '../proxy-config.js'
import type { InjectionValues } from '../values.js'
import { PROXY_CONTAINER } from './names.js'

/** What the agent has to ask for the kubelet, by the path under which the kubelet asks the agent. */
export type Probers = Record<string, Pick<Handler, 'httpGet' | 'tcpSocket' | 'grpc' | 'timeoutSeconds'>>

export const PROBERS_ENV = 'ISTIO_KUBE_APP_PROBERS'

const PROBES = { readinessProbe: 'readyz', livenessProbe: 'livez', startupProbe: 'startupz' } as const
const HOOKS = { preStop: 'prestopz', postStart: 'poststartz' } as const

/** The port to which probes go, or undefined where they stay as they are. */
export function probePort({ metadata }: PodTemplate, values: InjectionValues, meshConfig: MeshConfigInput): number | undefined {
  const rewrite =
    parseBool(metadata?.annotations?.['sidecar.istio.io/rewriteAppHTTPProbers']) ??
    values.sidecarInjectorWebhook.rewriteAppHTTPProbe
  const port = Number(annotation(metadata, 'status.sidecar.istio.io/port', meshConfig.defaultConfig?.statusPort ?? 15_020))
  return rewrite && port > 0 ? port : undefined
}

/**
 * Sends the kubelet's HTTP, TCP and gRPC probes of a container, and its lifecycle hooks, to the agent: the kubelet has no certificate for
 * mutual TLS, and a TCP probe would only reach the proxy. A probe by a port name that the container does not have stays.
 */
export function rewriteProbes(container: Container, agentPort: number, probers: Probers): Container {
  if (container.name === PROXY_CONTAINER) return container
  const rewritten: Container = { ...container }
  for (const [field, path] of Object.entries(PROBES) as [keyof typeof PROBES, string][]) {
    const handler = rewrite(container, container[field], `/app-health/${container.name}/${path}`, agentPort, probers)
    if (handler !== undefined) rewritten[field] = handler
  }
  for (const [field, path] of Object.entries(HOOKS) as [keyof typeof HOOKS, string][]) {
    const handler = rewrite(
      container,
      container.lifecycle?.[field],
      `/app-lifecycle/${container.name}/${path}`,
      agentPort,
      probers,
    )
    if (handler !== undefined) rewritten.lifecycle = { ...rewritten.lifecycle, [field]: handler }
  }
  return rewritten
}

function rewrite(
  container: Container,
  handler: Handler | undefined,
  path: string,
  agentPort: number,
  probers: Probers,
): Handler | undefined {
  if (handler === undefined || handler === null || isRewritten(handler, path, agentPort)) return undefined
  const { httpGet, tcpSocket, grpc, ...rest } = handler
  const asked = resolvePort(container, handler)
  if (asked === undefined) return undefined
  probers[path] = { ...asked, ...(handler.timeoutSeconds !== undefined && { timeoutSeconds: handler.timeoutSeconds }) }
  const action: HttpGetAction = { ...httpGet, path, port: agentPort, ...(httpGet?.scheme === 'HTTPS' && { scheme: 'HTTP' }) }
  return { ...rest, httpGet: action }
}

function isRewritten({ httpGet }: Handler, path: string, agentPort: number): boolean {
  return httpGet?.path === path && httpGet.port === agentPort
}

/** The action with its port as a number. */
function resolvePort({ ports = [] }: Container, { httpGet, tcpSocket, grpc }: Handler): Probers[string] | undefined {
  const resolve = (port: number | string | undefined): number | undefined => {
    if (typeof port === 'number') return port
    return ports.find(({ name }) => name === port)?.containerPort ?? (/^\d+$/.test(port ?? '') ? Number(port) : undefined)
  }
  if (httpGet != null) {
    const port = resolve(httpGet.port)
    return port === undefined ? undefined : { httpGet: { ...httpGet, port } }
  }
  if (tcpSocket != null) {
    const port = resolve(tcpSocket.port)
    return port === undefined ? undefined : { tcpSocket: { ...tcpSocket, port } }
  }
  return grpc != null ? { grpc } : undefined
}

/** The agent's list with `probers` in it; what an earlier injection noted stays. */
export function withProbers(proxy: Container, probers: Probers): Container {
  if (Object.keys(probers).length === 0) return proxy
  const env = proxy.env ?? []
  const noted = env.find(({ name }) => name === PROBERS_ENV)
  const all: Probers = { ...parse(noted?.value), ...probers }
  const value = JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))))
  const entry = { name: PROBERS_ENV, value }
  return { ...proxy, env: noted === undefined ? [...env, entry] : env.map((item) => (item === noted ? entry : item)) }
}

function parse(text: string | undefined): Probers {
  try {
    return text === undefined ? {} : (JSON.parse(text) as Probers)
  } catch {
    return {}
  }
}
