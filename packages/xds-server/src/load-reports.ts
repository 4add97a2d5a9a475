import { createWatch, type Watch } from '@heddle/runtime'
import type { ClusterStats, UpstreamLocalityStats } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { LoadStatsRequest, LoadStatsResponse } from '@heddle/xds-types/envoy/service/load_stats/v3'

/** Load of one locality of a cluster: sums of what clients have reported; `inProgress` is what they said last. */
export interface LocalityLoad {
  /** `region/zone/sub_zone`, '' where it was not said. */
  readonly locality: string
  readonly priority: number
  readonly succeeded: number
  readonly failed: number
  readonly issued: number
  readonly inProgress: number
  /** Named metrics of ORCA: sum and number of requests that carried one. */
  readonly metrics: Readonly<Record<string, { readonly total: number; readonly requests: number }>>
}

export interface ClusterLoad {
  readonly cluster: string
  /** `cluster_service_name`: the EDS name. */
  readonly service: string
  readonly dropped: number
  readonly droppedBy: Readonly<Record<string, number>>
  readonly localities: readonly LocalityLoad[]
}

export interface LoadReportsOptions {
  /** How often clients report; seconds, default 10. */
  readonly intervalSeconds?: number
  /** Of which clusters; default all. */
  readonly clusters?: readonly string[]
}

/**
 * LRS, the server's side (`envoy.service.load_stats.v3`, gRFC A27, xds-protocol 89): clients report what has happened since their last report,
 * here it is added up.
 */
export interface LoadReports {
  /** By cluster, then service. */
  readonly loads: Watch<readonly ClusterLoad[]>
  /** A client's stream: `reported` takes each of its messages; the first one is answered. */
  connect(): LoadStream
}

export interface LoadStream {
  readonly nodeId: string
  /** What to answer, or undefined. */
  reported(request: LoadStatsRequest): LoadStatsResponse | undefined
  /** What the client had in progress is gone with it. */
  end(): void
}

export function createLoadReports(options: LoadReportsOptions = {}): LoadReports {
  const { intervalSeconds = 10, clusters } = options
  const totals = new Map<string, ClusterTotal>()
  const loads = createWatch<readonly ClusterLoad[]>([])
  const publish = (): void => loads.set([...totals.values()].map(loadOf).sort(byName))
  const totalOf = (cluster: string, service: string): ClusterTotal => {
    const key = JSON.stringify([cluster, service])
    const known = totals.get(key) ?? { cluster, service, dropped: 0, droppedBy: new Map(), localities: new Map() }
    totals.set(key, known)
    return known
  }
  return {
    loads,
    connect() {
      let nodeId: string | undefined
      const inProgress = new Map<LocalityTotal, number>()
      const stream: LoadStream = {
        get nodeId() {
          return nodeId ?? ''
        },
        reported({ node, cluster_stats = [] }) {
          const first = nodeId === undefined
          nodeId ??= node?.id ?? ''
          for (const stats of cluster_stats)
            add(totalOf(stats.cluster_name ?? '', stats.cluster_service_name ?? ''), stats, inProgress)
          if (cluster_stats.length > 0) publish()
          if (!first) return undefined
          const which = clusters === undefined ? { send_all_clusters: true } : { clusters }
          return { ...which, load_reporting_interval: `${intervalSeconds}s`, report_endpoint_granularity: false }
        },
        end() {
          for (const [total, count] of inProgress) total.inProgress -= count
          inProgress.clear()
          publish()
        },
      }
      return stream
    },
  }
}

interface LocalityTotal {
  locality: string
  priority: number
  succeeded: number
  failed: number
  issued: number
  inProgress: number
  metrics: Map<string, { total: number; requests: number }>
}

interface ClusterTotal {
  cluster: string
  service: string
  dropped: number
  droppedBy: Map<string, number>
  localities: Map<string, LocalityTotal>
}

function add(total: ClusterTotal, stats: ClusterStats, inProgress: Map<LocalityTotal, number>): void {
  total.dropped += count(stats.total_dropped_requests)
  for (const { category = '', dropped_count } of stats.dropped_requests ?? []) {
    total.droppedBy.set(category, (total.droppedBy.get(category) ?? 0) + count(dropped_count))
  }
  for (const locality of stats.upstream_locality_stats ?? []) addLocality(total, locality, inProgress)
}

function addLocality(total: ClusterTotal, stats: UpstreamLocalityStats, inProgress: Map<LocalityTotal, number>): void {
  const { region = '', zone = '', sub_zone = '' } = stats.locality ?? {}
  const [locality, priority] = [[region, zone, sub_zone].join('/'), stats.priority ?? 0]
  const key = `${priority} ${locality}`
  let of = total.localities.get(key)
  if (of === undefined) {
    of = { locality, priority, succeeded: 0, failed: 0, issued: 0, inProgress: 0, metrics: new Map() }
    total.localities.set(key, of)
  }
  of.succeeded += count(stats.total_successful_requests)
  of.failed += count(stats.total_error_requests)
  of.issued += count(stats.total_issued_requests)
  const now = count(stats.total_requests_in_progress)
  of.inProgress += now - (inProgress.get(of) ?? 0)
  inProgress.set(of, now)
  for (const { metric_name = '', total_metric_value = 0, num_requests_finished_with_metric } of stats.load_metric_stats ?? []) {
    const known = of.metrics.get(metric_name) ?? { total: 0, requests: 0 }
    known.total += total_metric_value
    known.requests += count(num_requests_finished_with_metric)
    of.metrics.set(metric_name, known)
  }
}

function loadOf({ droppedBy, localities, ...total }: ClusterTotal): ClusterLoad {
  return {
    ...total,
    droppedBy: Object.fromEntries(droppedBy),
    localities: [...localities.values()].map(({ metrics, ...of }) => ({
      ...of,
      metrics: Object.fromEntries([...metrics].map(([name, metric]) => [name, { ...metric }])),
    })),
  }
}

function byName(a: ClusterLoad, b: ClusterLoad): number {
  const [left, right] = [`${a.cluster} ${a.service}`, `${b.cluster} ${b.service}`]
  return left < right ? -1 : left > right ? 1 : 0
}

/** An int64 of proto JSON, which may be text. */
function count(value: string | number | bigint | undefined): number {
  return Number(value ?? 0)
}
