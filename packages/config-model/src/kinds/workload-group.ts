import { validateWorkloadGroup } from '../checks/workload-group.js'
import { fields } from '../decode/fields.js'
import { int32, listOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import { textMap, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'
import type { WorkloadEntrySpec } from './workload-entry.js'
import { workloadEntrySpec } from './workload-entry.js'

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

const httpHeader = fields<{ name: string; value?: string }>({ name: text, value: text }, { defaults: { name: '' } })

const probe = fields<ReadinessProbe>({
  initialDelaySeconds: int32,
  timeoutSeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  failureThreshold: int32,
  httpGet: fields<NonNullable<ReadinessProbe['httpGet']>>(
    { path: text, port: uint32, host: text, scheme: text, httpHeaders: listOf(httpHeader) },
    { defaults: { port: 0 } },
  ),
  tcpSocket: fields<NonNullable<ReadinessProbe['tcpSocket']>>({ host: text, port: uint32 }, { defaults: { port: 0 } }),
  exec: fields<{ command: readonly string[] }>({ command: texts }, { defaults: { command: [] } }),
  grpc: fields<{ port?: number; service?: string }>({ port: uint32, service: text }),
})

export const workloadGroup: Kind<WorkloadGroup> = defineKind<WorkloadGroup>({
  name: 'WorkloadGroup',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<WorkloadGroupSpec>(
    {
      metadata: fields<NonNullable<WorkloadGroupSpec['metadata']>>({ labels: textMap, annotations: textMap }),
      template: workloadEntrySpec,
      probe,
    },
    { required: ['template'] },
  ),
  validate: validateWorkloadGroup,
})
