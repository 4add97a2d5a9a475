import type { MeshService, ServicePort } from '@heddle/config-model'
import type { ClusterTarget } from '../clusters/target.js'

/** Names in Envoy's statistics by the user's pattern: MeshConfig.inboundClusterStatName and outboundClusterStatName. */

interface Values {
  readonly host: string
  /** Kubernetes services are shortened to `name.namespace`. */
  readonly service: string
  readonly name: string
  readonly port: number
  readonly portName: string
  readonly subset: string
}

function fill(pattern: string, values: Values): string {
  return pattern
    .replaceAll('%SERVICE%', values.service)
    .replaceAll('%SERVICE_NAME%', values.name)
    .replaceAll('%SERVICE_FQDN%', values.host)
    .replaceAll('%SUBSET_NAME%', values.subset)
    .replaceAll('%SERVICE_PORT%', String(values.port))
    .replaceAll('%SERVICE_PORT_NAME%', values.portName)
    .replaceAll('%TARGET_PORT%', '0')
}

function valuesOf(service: MeshService, port: Pick<ServicePort, 'number' | 'name'>, subset: string): Values {
  const kubernetes = service.registry === 'Kubernetes'
  return {
    host: service.hostname,
    service: kubernetes ? `${service.name}.${service.namespace}` : service.hostname,
    name: kubernetes ? service.name : service.hostname,
    port: port.number,
    portName: port.name,
    subset,
  }
}

/** Of an outbound cluster; undefined: its own name. */
export function outboundStatName({ build, service, port, subset }: ClusterTarget): string | undefined {
  return statNameOf(build.mesh.outboundClusterStatName, service, port, subset?.subset.name)
}

/** Of an inbound cluster or a TCP chain; undefined: the cluster's name. Without a service a name stands for it, '' where there is none. */
export function statNameOf(
  pattern: string,
  service: MeshService | string,
  port: Pick<ServicePort, 'number' | 'name'>,
  subset = '',
): string | undefined {
  if (pattern === '') return undefined
  if (typeof service !== 'string') return fill(pattern, valuesOf(service, port, subset))
  return fill(pattern, { host: service, service, name: service, port: port.number, portName: port.name, subset: '' })
}
