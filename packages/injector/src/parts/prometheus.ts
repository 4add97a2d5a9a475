import { parseBool } from '../annotations.js'
import type { EnvVar, Metadata } from '../kubernetes.js'
import type { MeshConfigInput } from '../proxy-config.js'

// Prometheus reads prometheus.io/scrape, prometheus.io.scrape and prometheus-io/scrape alike: everything else becomes an underscore.
const canonical = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_')

/** Where the agent finds the app's metrics. */
export const SCRAPING_ENV = 'ISTIO_PROMETHEUS_ANNOTATIONS'

const SCRAPE = 'prometheus_io_scrape'
const PORT = 'prometheus_io_port'
const PATH = 'prometheus_io_path'

/** The agent's port, where the metrics of app and proxy come together. */
export function mergedMetricsPort(meshConfig: MeshConfigInput): string {
  return String(meshConfig.defaultConfig?.statusPort ?? 15_020)
}

/** Whether the annotations already point at the agent. */
export function pointsAtAgent(metadata: Metadata, meshConfig: MeshConfigInput): boolean {
  return read(metadata, PORT) === mergedMetricsPort(meshConfig)
}

export function withoutPrometheus(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => ![SCRAPE, PORT, PATH].includes(canonical(name))))
}

/** Points Prometheus at the agent and tells the agent where the app's metrics are; undefined where nothing is to do. */
export function mergeMetrics(
  metadata: Metadata,
  meshConfig: MeshConfigInput,
): { annotations: Record<string, string>; env: EnvVar[] } | undefined {
  const enabled =
    parseBool(metadata.annotations?.['prometheus.istio.io/merge-metrics']) ?? meshConfig.enablePrometheusMerge ?? true
  if (!enabled || parseBool(read(metadata, SCRAPE)) === false || pointsAtAgent(metadata, meshConfig)) return undefined
  const app = { scrape: read(metadata, SCRAPE) ?? '', path: read(metadata, PATH) ?? '', port: read(metadata, PORT) ?? '' }
  const told = app.scrape !== '' || app.path !== '' || app.port !== ''
  return {
    annotations: {
      ...withoutPrometheus(metadata.annotations ?? {}),
      'prometheus.io/port': mergedMetricsPort(meshConfig),
      'prometheus.io/path': '/stats/prometheus',
      'prometheus.io/scrape': 'true',
    },
    env: told ? [{ name: SCRAPING_ENV, value: JSON.stringify(app) }] : [],
  }
}

function read({ annotations = {} }: Metadata, name: string): string | undefined {
  return Object.entries(annotations).find(([key]) => canonical(key) === name)?.[1]
}
