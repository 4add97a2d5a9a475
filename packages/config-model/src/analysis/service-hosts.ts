import type { KubernetesServicePort, ServiceSpec } from '../kinds/kubernetes/service.js'
import type { ServiceEntrySpec } from '../kinds/service-entry.js'
import { LABELS } from '../names/labels.js'
import type { ConfigObject } from './object.js'

/** What a host stands for: a Kubernetes Service or a ServiceEntry. */
export interface HostTarget {
  readonly host: string
  readonly namespace: string
  readonly ports: readonly number[]
  readonly service?: ConfigObject<ServiceSpec>
  readonly entry?: ConfigObject<ServiceEntrySpec>
}

/** Hosts of the mesh, with who may see them. */
export interface ServiceHosts {
  /** The fully qualified name of a host that an object of `namespace` names. */
  qualify(host: string, namespace: string): string
  /** What `host` means for an object of `namespace` that is exported to `exportTo`; undefined: nothing that it can see. */
  find(host: string, namespace: string, exportTo?: readonly string[]): HostTarget | undefined
}

const DOMAIN = 'svc.cluster.local'

/** `trustDomain`: Kubernetes names may be written with it instead of `cluster.local`, as Istio allows. */
export function createServiceHosts(
  services: readonly ConfigObject<ServiceSpec>[],
  entries: readonly ConfigObject<ServiceEntrySpec>[],
  trustDomain: string,
): ServiceHosts {
  const qualify = (host: string, namespace: string): string => qualifyHost(host, namespace, trustDomain)
  const targets = new Map<string, HostTarget>()
  const wildcards: [scope: string, suffix: string, target: HostTarget][] = []
  const add = (scope: string, host: string, target: HostTarget): void => {
    targets.set(`${scope}/${host}`, target)
    if (host.startsWith('*')) wildcards.push([scope, host.slice(1), target])
  }
  for (const entry of entries) {
    const { namespace } = entry.metadata
    const ports = (entry.spec.ports ?? []).map(({ number }) => number)
    for (const written of entry.spec.hosts) {
      const host = qualify(written, namespace)
      for (const scope of scopesOf(entry.spec.exportTo, namespace)) add(scope, host, { host, namespace, ports, entry })
    }
  }
  for (const service of services) {
    const { namespace, name, annotations } = service.metadata
    const host = qualify(name, namespace)
    const ports = (service.spec.ports ?? []).map((port: KubernetesServicePort) => port.port)
    const exportTo = annotations[LABELS.exportTo]
    for (const scope of scopesOf(exportTo === undefined || exportTo === '' ? undefined : exportTo.split(','), namespace))
      add(scope, host, { host, namespace, ports, service })
  }
  return {
    qualify,
    find(written, namespace, exportTo) {
      const host = qualify(written, namespace)
      const scopes = ['*', ...(exportTo === undefined || exportTo.length === 0 ? [namespace] : scopesOf(exportTo, namespace))]
      for (const scope of scopes) {
        const target = targets.get(`${scope}/${host}`)
        if (target !== undefined) return target
      }
      const bare = written.startsWith('*') ? written.slice(1) : written
      return wildcards.find(([scope, suffix]) => (scope === '*' || scope === namespace) && bare.endsWith(suffix))?.[2]
    },
  }
}

/** `*`, or the namespaces that see an object with this exportTo. */
export function scopesOf(exportTo: readonly string[] | undefined, namespace: string): readonly string[] {
  if (exportTo === undefined || exportTo.length === 0 || exportTo.includes('*')) return ['*']
  return [...new Set(exportTo.map((scope) => (scope === '.' ? namespace : scope)))]
}

function qualifyHost(host: string, namespace: string, trustDomain: string): string {
  if (host.startsWith('*')) return host
  if (!host.includes('.')) return `${host}.${namespace}.${DOMAIN}`
  const other = `.svc.${trustDomain}`
  return host.endsWith(other) ? `${host.slice(0, -other.length)}.${DOMAIN}` : host
}
