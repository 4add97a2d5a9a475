import type { Resource } from '../resource.js'
import type { LabelsSelector } from './common.js'
import type { WorkloadEntrySpec } from './workload-entry.js'

/** networking.istio.io ServiceEntry. */
export interface ServiceEntrySpec {
  hosts: readonly string[]
  /** VIPs or CIDRs. */
  addresses?: readonly string[]
  ports?: readonly ServiceEntryPort[]
  /** Default MESH_EXTERNAL. */
  location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL'
  /** Default NONE. */
  resolution?: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS'
  endpoints?: readonly WorkloadEntrySpec[]
  workloadSelector?: LabelsSelector
  exportTo?: readonly string[]
  subjectAltNames?: readonly string[]
}

export type ServiceEntry = Resource<'ServiceEntry', ServiceEntrySpec>

export interface ServiceEntryPort {
  number: number
  /** Default: by name, then TCP. */
  protocol?: string
  name: string
  /** Default: `number`. */
  targetPort?: number
}
