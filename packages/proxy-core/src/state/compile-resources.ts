import { createWatch, type Diagnostic, type Result, systemRandom } from '@heddle/runtime'
import type { ResourceType } from '@heddle/xds-types'
import type { CompiledCluster, CompiledListener, SecretSource } from '../config/compiled.js'
import type { DataSourceReads } from '../config/data-source.js'
import type { DecodedFilter } from '../config/discovered-filter.js'
import type { ExplainConfig } from '../explain/explain.js'
import { defaultHttpFilters } from '../filters/defaults.js'
import type { HttpFilterFactory } from '../http/filter.js'
import type { RouteScope } from '../route/scope.js'
import type { RouteTable } from '../route/table.js'
import type { EndpointSet } from '../upstream/endpoint.js'
import { createHash64 } from '../upstream/hash.js'
import { createCompilers } from './compilers.js'
import { createNamedValues } from './named-values.js'
import { storeTypes } from './types.js'

export interface CompileResourcesOptions extends DataSourceReads {
  /** `defaultHttpFilters` by default. */
  filters?: readonly HttpFilterFactory<unknown>[]
}

export interface CompiledResources {
  /** What could be compiled, ready for `explain`. */
  readonly config: ExplainConfig
  /** Why the rest could not; `subject` names the resource. */
  readonly diagnostics: readonly Diagnostic[]
}

/** Messages by type URL, in the shape of canonical proto JSON, as a ResourceSet's groups hold them. */
export type ResourceMessages = ReadonlyMap<string, readonly object[]>

/** Compiles resources as a proxy would, without one: no sockets, no secrets, no warming. */
export async function compileResources(
  resources: ResourceMessages,
  options: CompileResourcesOptions = {},
): Promise<CompiledResources> {
  const extensions = createNamedValues<DecodedFilter>()
  const compile = createCompilers({
    filters: options.filters ?? defaultHttpFilters,
    sinks: () => ({ write: () => {} }),
    random: systemRandom,
    hash64: await createHash64(),
    readFile: options.readFile,
    environment: options.environment,
    extensions,
    vhds: true,
  })
  const diagnostics: Diagnostic[] = []
  const all = <M extends object, T>(type: ResourceType<M>, compileOne: (message: M) => Result<T>): Map<string, T> => {
    const compiled = new Map<string, T>()
    for (const message of (resources.get(type.typeUrl) ?? []) as readonly M[]) {
      const subject = `${type.shortName} ${type.nameOf(message)}`
      const result = compileOne(message)
      diagnostics.push(...result.diagnostics.map((diagnostic) => ({ ...diagnostic, subject })))
      if (result.ok) compiled.set(type.nameOf(message), result.value)
    }
    return compiled
  }
  for (const [name, filter] of all<Parameters<typeof compile.extension>[0], DecodedFilter>(storeTypes.extension, (message) =>
    compile.extension(message, NO_SECRETS),
  ))
    extensions.set(name, filter)
  const named = new Set((resources.get(storeTypes.cluster.typeUrl) ?? []).map((message) => storeTypes.cluster.nameOf(message)))
  const hasCluster = (name: string): boolean => named.has(name)
  const scopes = all<Parameters<typeof compile.scope>[0], RouteScope>(storeTypes.scope, (message) =>
    compile.scope(message, NO_SECRETS, hasCluster),
  )
  const clusters = all<Parameters<typeof compile.cluster>[0], CompiledCluster>(storeTypes.cluster, (message) =>
    compile.cluster(message, NO_SECRETS),
  )
  const listeners = all<Parameters<typeof compile.listener>[0], CompiledListener>(storeTypes.listener, (message) =>
    compile.listener(message, NO_SECRETS, hasCluster),
  )
  const routes = all<Parameters<typeof compile.route>[0], RouteTable>(storeTypes.route, (message) =>
    compile.route(message, NO_SECRETS, hasCluster),
  )
  const endpoints = all<Parameters<typeof compile.endpoints>[0], EndpointSet>(storeTypes.endpoints, (message) =>
    compile.endpoints(message, undefined),
  )
  return {
    diagnostics,
    config: {
      listeners: [...listeners.values()],
      routes: (name) => routes.get(name),
      scopes: new Map([...scopes.values()].map((scope) => [scope.key, scope])),
      clusters: (name) => clusters.get(name),
      endpoints: (name) => endpoints.get(serviceNameOf(clusters.get(name)) ?? name),
    },
  }
}

const NOTHING = createWatch(undefined)
/** A TLS context without material: enough to decide, not to shake hands. */
const NO_SECRETS: SecretSource = { watch: () => NOTHING }

/** The name under which EDS knows the cluster. */
export function serviceNameOf(cluster: CompiledCluster | undefined): string | undefined {
  return cluster?.discovery.kind === 'EDS' ? cluster.discovery.serviceName : undefined
}
