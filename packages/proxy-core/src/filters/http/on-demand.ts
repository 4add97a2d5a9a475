import type { Clock, Result } from '@heddle/runtime'
import type { OnDemand, OnDemandCds } from '@heddle/xds-types/envoy/extensions/filters/http/on_demand/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, HttpFilterFactory, HttpStream } from '../../http/filter.js'

const TYPE = 'envoy.extensions.filters.http.on_demand.v3'
/** A scope's routes, then a virtual host of them. */
const MOST_QUESTIONS = 2
const CLUSTER_TIMEOUT_MS = 5_000

interface OnDemandConfig {
  /** How long a request waits for its cluster; undefined: clusters are not asked for. */
  readonly clusterTimeoutMs: number | undefined
}

/** envoy.filters.http.on_demand: a request waits for the route (SRDS, VHDS) or the cluster (CDS) that the management server has for it. */
export const onDemandFilter: HttpFilterFactory<OnDemandConfig> = {
  typeNames: [`${TYPE}.OnDemand`],
  perRouteTypeNames: [`${TYPE}.PerRouteConfig`],
  decode: (config, path): Result<OnDemandConfig> => compileMessage(config as OnDemand, path, compileConfig),
  decodePerRoute: (config, path): Result<OnDemandConfig> => compileMessage(config as OnDemand, path, compileConfig),
  create: (config, deps, name) => (stream) => ({
    onRequest() {
      const route = isRouted(stream) ? undefined : findRoute(stream, deps)
      const cluster = (): Promise<void> | undefined =>
        findCluster(stream, (stream.perRouteConfig(name) as OnDemandConfig | undefined) ?? config, deps)
      return route === undefined ? cluster() : route.then(cluster)
    },
  }),
}

function compileConfig(fields: Fields<OnDemand>): OnDemandConfig {
  const odcds = fields.message('odcds')
  fields.done()
  return { clusterTimeoutMs: odcds && compileClusters(odcds) }
}

function compileClusters(fields: Fields<OnDemandCds>): number {
  const timeout = fields.durationMs('timeout', CLUSTER_TIMEOUT_MS)
  if (fields.string('resources_locator') !== '')
    fields.problem('is not supported: clusters are asked for by name.', 'resources_locator')
  fields.done({ source: 'clusters come from where all others come from' })
  return timeout
}

function isRouted({ route }: HttpStream): boolean {
  return route !== undefined && route.kind !== 'none'
}

function findRoute(stream: HttpStream, { demandRoute }: FilterDeps): Promise<void> | undefined {
  const first = demandRoute?.(stream.request)
  if (first === undefined) return undefined
  return (async () => {
    let wait: Promise<void> | undefined = first
    for (let asked = 0; wait !== undefined && asked < MOST_QUESTIONS; asked++) {
      await wait
      stream.clearRoute(true)
      wait = isRouted(stream) ? undefined : demandRoute?.(stream.request)
    }
  })()
}

function findCluster(
  { route }: HttpStream,
  { clusterTimeoutMs: timeoutMs }: OnDemandConfig,
  { clock, clusterDiscovery, demandCluster }: FilterDeps,
): Promise<void> | undefined {
  if (timeoutMs === undefined || route?.kind !== 'forward') return undefined
  const { cluster } = route.target
  if (clusterDiscovery?.(cluster) !== undefined) return undefined
  const wait = demandCluster?.(cluster)
  return wait && withLimit(wait, timeoutMs, clock)
}

function withLimit(wait: Promise<void>, timeoutMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(timeoutMs, resolve)
    void wait.then(() => {
      stop()
      resolve()
    })
  })
}
