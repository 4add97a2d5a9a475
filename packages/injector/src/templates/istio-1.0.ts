import { annotation } from '../annotations.js'
import type { Container, EnvVar, PodTemplate } from '../kubernetes.js'
import { proxyImage, pullPolicy } from '../parts/image.js'
import { INIT_CONTAINER, PROXY_CONTAINER, PROXY_UID } from '../parts/names.js'
import { interceptionMode, proxyResources } from '../parts/proxy-container.js'
import type { TemplateContext } from './context.js'

/** The pod of Istio 1.0: istio-init with its seven flags, and a proxy whose whole configuration stands on pilot-agent's command line. */
export function istio10(context: TemplateContext): PodTemplate {
  return {
    spec: {
      initContainers: interceptionMode(context) === 'NONE' ? [] : [init(context)],
      containers: [proxy(context)],
      volumes: [{ name: 'istio-envoy', emptyDir: { medium: 'Memory' } }],
    },
  }
}

function init(context: TemplateContext): Container {
  const { metadata, values } = context
  const traffic = (name: string, otherwise: string): string => annotation(metadata, `traffic.sidecar.istio.io/${name}`, otherwise)
  const { proxy, proxy_init, hub, tag } = values.global
  const excluded = traffic('excludeOutboundIPRanges', proxy.excludeIPRanges)
  return {
    name: INIT_CONTAINER,
    image: `${hub}/${proxy_init.image}:${tag}`,
    args: [
      ...['-p', '15001', '-u', String(PROXY_UID), '-m', interceptionMode(context)],
      ...['-i', traffic('includeOutboundIPRanges', proxy.includeIPRanges)],
      ...(excluded === '' ? [] : ['-x', excluded]),
      ...['-b', traffic('includeInboundPorts', proxy.includeInboundPorts)],
      ...['-d', traffic('excludeInboundPorts', proxy.excludeInboundPorts)],
    ],
    ...pullPolicy(context),
    resources: { limits: { memory: '128Mi' } },
    securityContext: { capabilities: { add: ['NET_ADMIN'] } },
  }
}

function proxy(context: TemplateContext): Container {
  const tproxy = interceptionMode(context) === 'TPROXY'
  return {
    name: PROXY_CONTAINER,
    image: proxyImage(context, context.values.global.proxy.image),
    command: ['bash', '-c', commandLine(context)],
    env: environment(context),
    ...pullPolicy(context),
    resources: proxyResources(context),
    securityContext: {
      privileged: false,
      readOnlyRootFilesystem: true,
      // TPROXY's sockets need the capability; its rules know the proxy by its group.
      ...(tproxy ? { capabilities: { add: ['NET_ADMIN'] }, runAsGroup: PROXY_UID } : { runAsUser: PROXY_UID }),
    },
    volumeMounts: [{ mountPath: '/etc/istio/proxy', name: 'istio-envoy' }],
  }
}

/** A shell's words: what stands in a proxy configuration must not become a command. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function commandLine({ metadata, proxyConfig, values }: TemplateContext): string {
  const text = (name: string, otherwise: string): string => String(proxyConfig[name] ?? otherwise)
  const optional = ['zipkinAddress', 'statsdUdpAddress'].flatMap((name) =>
    proxyConfig[name] === undefined ? [] : [`--${name}`, String(proxyConfig[name])],
  )
  const words = [
    ...['--configPath', text('configPath', '/etc/istio/proxy'), '--binaryPath', text('binaryPath', '/usr/local/bin/envoy')],
    ...['--serviceCluster', metadata.labels?.['app'] || text('serviceCluster', 'istio-proxy')],
    ...['--drainDuration', text('drainDuration', '45s'), '--parentShutdownDuration', text('parentShutdownDuration', '1m0s')],
    ...['--discoveryAddress', text('discoveryAddress', `istio-pilot.${values.global.istioNamespace}:15007`)],
    ...['--discoveryRefreshDelay', text('discoveryRefreshDelay', '1s'), '--connectTimeout', text('connectTimeout', '10s')],
    ...optional,
    ...['--proxyAdminPort', text('proxyAdminPort', '15000')],
    ...['--controlPlaneAuthPolicy', text('controlPlaneAuthPolicy', 'NONE')],
  ]
  return `exec /usr/local/bin/pilot-agent proxy sidecar \\\n${words.map(quote).join(' \\\n')}\n`
}

function environment(context: TemplateContext): EnvVar[] {
  const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  return [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('INSTANCE_IP', 'status.podIP'),
    field('ISTIO_META_POD_NAME', 'metadata.name'),
    { name: 'ISTIO_META_INTERCEPTION_MODE', value: interceptionMode(context) },
  ]
}
