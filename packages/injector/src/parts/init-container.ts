import { annotation } from '../annotations.js'
import type { Container } from '../kubernetes.js'
import type { TemplateContext } from '../templates/context.js'
import { metadataEnv } from './environment.js'
import { proxyImage, pullPolicy } from './image.js'
import { CORE_DUMP_CONTAINER, INIT_CONTAINER, PROXY_UID, VALIDATION_CONTAINER } from './names.js'
import { agentLogLevel, interceptionMode, proxyResources, seccomp, statusPort } from './proxy-container.js'

/** Sets up capture before anything else runs; with CNI, checks that it is set up. None where capture is off. */
export function captureContainer(context: TemplateContext): Container[] {
  const { values } = context
  if (interceptionMode(context) === 'NONE') return []
  const cni = values.pilot.cni.enabled
  const env = metadataEnv(context)
  return [
    {
      name: cni ? VALIDATION_CONTAINER : INIT_CONTAINER,
      image: proxyImage(context, values.global.proxy_init.image),
      args: captureArgs(context),
      ...pullPolicy(context),
      ...(env.length > 0 && { env }),
      resources: proxyResources(context),
      securityContext: {
        allowPrivilegeEscalation: values.global.proxy.privileged,
        privileged: values.global.proxy.privileged,
        capabilities: cni ? { drop: ['ALL'] } : { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
        ...(cni
          ? { readOnlyRootFilesystem: true, runAsGroup: PROXY_UID, runAsUser: PROXY_UID, runAsNonRoot: true }
          : { readOnlyRootFilesystem: false, runAsGroup: 0, runAsUser: 0, runAsNonRoot: false }),
        ...seccomp(context),
      },
    },
  ]
}

/** Flags of istio-iptables. */
function captureArgs(context: TemplateContext): string[] {
  const { metadata, values, meshConfig } = context
  const { proxy } = values.global
  const traffic = (name: string, otherwise: string): string => annotation(metadata, `traffic.sidecar.istio.io/${name}`, otherwise)
  const flag = (name: string, value: string | undefined): string[] => (value === undefined || value === '' ? [] : [name, value])
  // An annotation counts even where it is empty.
  const whenSet = (name: string, annotated: string, otherwise: string): string[] =>
    metadata.annotations?.[annotated] === undefined && otherwise === '' ? [] : [name, annotation(metadata, annotated, otherwise)]
  const excluded = excludedInboundPorts(context)
  return [
    'istio-iptables',
    ...flag('-p', String(meshConfig.proxyListenPort ?? 15_001)),
    ...flag('-z', String(meshConfig.proxyInboundListenPort ?? 15_006)),
    ...flag('-u', String(PROXY_UID)),
    ...flag('-m', interceptionMode(context)),
    '-i',
    traffic('includeOutboundIPRanges', proxy.includeIPRanges),
    '-x',
    traffic('excludeOutboundIPRanges', proxy.excludeIPRanges),
    '-b',
    traffic('includeInboundPorts', proxy.includeInboundPorts),
    '-d',
    excluded === '' ? '15090,15021' : `15090,15021,${excluded}`,
    ...whenSet('-q', 'traffic.sidecar.istio.io/includeOutboundPorts', proxy.includeOutboundPorts),
    ...whenSet('-o', 'traffic.sidecar.istio.io/excludeOutboundPorts', proxy.excludeOutboundPorts),
    ...flag(
      '-k',
      metadata.annotations?.['istio.io/reroute-virtual-interfaces'] ??
        metadata.annotations?.['traffic.sidecar.istio.io/kubevirtInterfaces'],
    ),
    ...flag('-c', metadata.annotations?.['traffic.sidecar.istio.io/excludeInterfaces']),
    agentLogLevel(context),
    ...(values.global.logAsJson ? ['--log_as_json'] : []),
    ...(values.pilot.cni.enabled
      ? ['--run-validation', '--skip-rule-apply']
      : values.global.proxy_init.forceApplyIptables
        ? ['--force-apply']
        : []),
    ...(values.global.nativeNftables ? ['--native-nftables'] : []),
  ]
}

/** Ports whose inbound traffic is not captured, with the status port, if there is one. */
export function excludedInboundPorts(context: TemplateContext): string {
  const list = annotation(
    context.metadata,
    'traffic.sidecar.istio.io/excludeInboundPorts',
    context.values.global.proxy.excludeInboundPorts,
  )
  const port = statusPort(context).trim()
  const ports = list.split(',').map((item) => item.trim())
  if (port === '' || port === '0' || ports.includes(port)) return list
  return [...ports.filter((item) => item !== ''), port].join(',')
}

/** Lets the kernel write core files where the proxy can keep them. */
export function coreDumpContainer(context: TemplateContext): Container[] {
  const { metadata, values } = context
  if (annotation(metadata, 'sidecar.istio.io/enableCoreDump', values.global.proxy.enableCoreDump) !== 'true') return []
  return [
    {
      name: CORE_DUMP_CONTAINER,
      args: ['-c', 'sysctl -w kernel.core_pattern=/var/lib/istio/data/core.proxy && ulimit -c unlimited'],
      command: ['/bin/sh'],
      image: proxyImage(context, values.global.proxy_init.image),
      ...pullPolicy(context),
      resources: proxyResources(context),
      securityContext: {
        allowPrivilegeEscalation: true,
        capabilities: { add: ['SYS_ADMIN'], drop: ['ALL'] },
        privileged: true,
        readOnlyRootFilesystem: false,
        runAsGroup: 0,
        runAsNonRoot: false,
        runAsUser: 0,
      },
    },
  ]
}
