import { validateWorkloadEntry } from '../checks/workload-entry.js'
import { fields } from '../decode/fields.js'
import { type Decode, mapOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import { textMap } from './common.js'
import { defineKind, type Kind } from './kind.js'

/** networking.istio.io WorkloadEntry: one VM or process. Also an endpoint of a ServiceEntry. */
export interface WorkloadEntrySpec {
  /** IP, DNS name or `unix:///path`; '' only with a network. */
  address: string
  /** Port number by the name of the Service's (target) port. */
  ports?: Readonly<Record<string, number>>
  labels?: Readonly<Record<string, string>>
  network?: string
  locality?: string
  /** Default 1. */
  weight?: number
  serviceAccount?: string
}

export type WorkloadEntry = Resource<'WorkloadEntry', WorkloadEntrySpec>

export const workloadEntrySpec: Decode<WorkloadEntrySpec> = fields<WorkloadEntrySpec>(
  { address: text, ports: mapOf(uint32), labels: textMap, network: text, locality: text, weight: uint32, serviceAccount: text },
  { defaults: { address: '' } },
)

export const workloadEntry: Kind<WorkloadEntry> = defineKind<WorkloadEntry>({
  name: 'WorkloadEntry',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: workloadEntrySpec,
  validate: validateWorkloadEntry,
})
