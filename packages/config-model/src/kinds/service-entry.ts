import { validateServiceEntry } from '../checks/service-entry.js'
import { fields } from '../decode/fields.js'
import { listOf, oneOf, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { LabelsSelector } from './common.js'
import { labelsSelector, texts } from './common.js'
import { defineKind, type Kind } from './kind.js'
import type { WorkloadEntrySpec } from './workload-entry.js'
import { workloadEntrySpec } from './workload-entry.js'

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

const port = fields<ServiceEntryPort>(
  { number: uint32, protocol: text, name: text, targetPort: uint32 },
  { defaults: { number: 0, name: '' } },
)

export const serviceEntry: Kind<ServiceEntry> = defineKind<ServiceEntry>({
  name: 'ServiceEntry',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<ServiceEntrySpec>(
    {
      hosts: texts,
      addresses: texts,
      ports: listOf(port),
      location: oneOf('MESH_EXTERNAL', 'MESH_INTERNAL'),
      resolution: oneOf('NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'),
      endpoints: listOf(workloadEntrySpec),
      workloadSelector: labelsSelector,
      exportTo: texts,
      subjectAltNames: texts,
    },
    { defaults: { hosts: [] } },
  ),
  validate: validateServiceEntry,
})
