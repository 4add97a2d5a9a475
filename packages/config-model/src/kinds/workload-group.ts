import type { Resource } from '../resource.js'
import type { WorkloadEntrySpec } from './workload-entry.js'

/** networking.istio.io WorkloadGroup: the template of auto-registered WorkloadEntries. */
export interface WorkloadGroupSpec {
  metadata?: { labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> }
  /** `address` is empty in a template. */
  template: WorkloadEntrySpec
  probe?: ReadinessProbe
}

export type WorkloadGroup = Resource<'WorkloadGroup', WorkloadGroupSpec>

/** Seconds, as in Kubernetes. */
export interface ReadinessProbe {
  initialDelaySeconds?: number
  timeoutSeconds?: number
  periodSeconds?: number
  successThreshold?: number
  failureThreshold?: number
  httpGet?: {
    path?: string
    port: number
    host?: string
    scheme?: string
    httpHeaders?: readonly { name: string; value?: string }[]
  }
  tcpSocket?: { host?: string; port: number }
  exec?: { command: readonly string[] }
  grpc?: { port?: number; service?: string }
}
