import type { MeshConfig, MeshService } from '@heddle/config-model'
import type { Build } from './build.js'
import { outboundCluster } from './names.js'

/** A service that the mesh's operator named in MeshConfig, whatever the proxy may see. */
export interface FoundService {
  readonly hostname: string
  /** The name of its cluster; nothing says that the proxy has it. */
  readonly cluster: string
}

/** `namespace/host`, or a host that one namespace only has; undefined for anything else. */
export function lookupService(build: Build, name: string, port: number): FoundService | undefined {
  const [namespace, host] = name.includes('/') ? name.split('/', 2) : [undefined, name]
  const all: readonly MeshService[] = build.snapshot.servicesOf((host ?? '').toLowerCase())
  const fitting = namespace === undefined ? all : all.filter((s) => s.namespace === namespace)
  const [service] = fitting
  if (service === undefined || new Set(fitting.map((s) => s.namespace)).size > 1) return undefined
  return { hostname: service.hostname, cluster: outboundCluster(port, '', service.hostname) }
}

/** What MeshConfig.extensionProviders call, as written: `host` or `namespace/host`. */
export function providerServices({ extensionProviders }: MeshConfig): readonly string[] {
  return extensionProviders.flatMap((provider) =>
    Object.values(provider).flatMap((settings) => {
      const service = typeof settings === 'object' && settings !== null && 'service' in settings ? settings.service : undefined
      return typeof service === 'string' ? [service] : []
    }),
  )
}
