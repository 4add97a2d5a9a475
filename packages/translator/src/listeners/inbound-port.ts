import { type IstioIngressListener, type PortProtocol, parseProtocol, type ServerTLSSettings } from '@heddle/config-model'
import { type Build, portSource } from '../build.js'
import { inFamily } from '../families.js'
import { INBOUND_PASSTHROUGH_CLUSTER, inboundCluster, VIRTUAL_INBOUND } from '../names.js'
import { type Provenance, sourceOf } from '../provenance.js'
import type { ServiceTarget } from '../service-targets.js'
import { statNameOf } from '../telemetry/stat-names.js'
import { canBind, WILDCARD } from './binding.js'

/** One port that the workload serves, from a Service or from a Sidecar's ingress. */
export interface InboundPort {
  readonly bind: string
  /** Port of the workload. */
  readonly targetPort: number
  readonly portName: string
  /** Port by which clients call it: it stands in names of routes and traces. */
  readonly port: number
  readonly protocol: PortProtocol
  readonly cluster: string
  /** Of the cluster and of TCP chains, by MeshConfig.inboundClusterStatName; undefined: the cluster's name. */
  readonly statName: string | undefined
  /** Who it is for traces: a service, or `sidecar.namespace`. */
  readonly hostname: string
  /** A listener of its own, instead of chains of virtualInbound. */
  readonly bindToPort: boolean
  readonly tls: ServerTLSSettings | undefined
  /** The chains that take what no port takes. */
  readonly passthrough: boolean
  /** What comes to it comes out of a tunnel (HBONE). */
  readonly tunnelled?: true
  readonly sources: readonly Provenance[]
}

/** Sidecar ingress if there is any, else the services in front of the workload; not in capture mode NONE, where the application has its ports itself. */
export function inboundPorts(build: Build, targets: readonly ServiceTarget[]): InboundPort[] {
  const ingress = build.view.sidecar?.spec.ingress ?? []
  const none = build.proxy.interceptionMode === 'NONE'
  const ports =
    ingress.length > 0
      ? ingress.map((listener, i) => ingressPort(build, listener, i))
      : none
        ? []
        : targets.map((t) => servicePort(build, t))
  const byPort = new Map<number, InboundPort>()
  for (const port of ports) {
    if (!byPort.has(port.targetPort) && canBind(build, port.bindToPort, port.bind, port.targetPort, port.protocol))
      byPort.set(port.targetPort, port)
  }
  return [...byPort.values()].sort((a, b) => a.targetPort - b.targetPort)
}

function ingressPort(build: Build, listener: IstioIngressListener, index: number): InboundPort {
  const sidecar = build.view.sidecar
  const { number } = listener.port
  const mode = listener.captureMode ?? 'DEFAULT'
  const hostname = `${sidecar?.metadata.name}.${build.proxy.namespace}`
  return {
    bind: listener.bind === undefined || listener.bind === '' ? (build.proxy.addresses[0] ?? WILDCARD) : listener.bind,
    targetPort: number,
    port: number,
    portName: listener.port.name ?? '',
    protocol: parseProtocol(listener.port.protocol ?? ''),
    cluster: inboundCluster(number),
    statName: statNameOf(build.mesh.inboundClusterStatName, hostname, { number, name: listener.port.name ?? '' }),
    hostname,
    bindToPort: mode === 'DEFAULT' ? build.proxy.interceptionMode === 'NONE' : mode === 'NONE',
    tls: listener.tls,
    passthrough: false,
    sources: sidecar === undefined ? [] : [sourceOf(sidecar, `spec.ingress[${index}]`)],
  }
}

function servicePort(build: Build, { service, port, targetPort }: ServiceTarget): InboundPort {
  return {
    bind: inFamily(build, WILDCARD),
    targetPort,
    port: port.number,
    portName: port.name,
    protocol: port.protocol,
    cluster: inboundCluster(targetPort),
    statName: statNameOf(build.mesh.inboundClusterStatName, service, port),
    hostname: service.hostname,
    bindToPort: build.proxy.interceptionMode === 'NONE',
    tls: undefined,
    passthrough: false,
    sources: [portSource(build, service, port)],
  }
}

/** What reaches the workload on a port that nobody declared: sniffed and passed on. */
export function passthroughPort(build: Build, targetPort: number): InboundPort {
  return {
    bind: inFamily(build, WILDCARD),
    targetPort,
    port: 0,
    portName: '',
    protocol: 'Unsupported',
    cluster: INBOUND_PASSTHROUGH_CLUSTER,
    statName: statNameOf(build.mesh.inboundClusterStatName, '', { number: 0, name: VIRTUAL_INBOUND }),
    hostname: '',
    bindToPort: false,
    tls: undefined,
    passthrough: true,
    sources: [],
  }
}
