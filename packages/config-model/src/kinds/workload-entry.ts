import type { Resource } from '../resource.js'

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
