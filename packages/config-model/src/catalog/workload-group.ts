import type { WorkloadEntry } from '../kinds/workload-entry.js'
import type { WorkloadGroup } from '../kinds/workload-group.js'
import { LABELS } from '../names/labels.js'

/** What a workload says of itself when it joins a group: node metadata of its proxy. */
export interface JoiningWorkload {
  /** The first of its addresses. */
  readonly address: string
  readonly labels?: Readonly<Record<string, string>>
  readonly network?: string
  /** `region/zone/subzone`. */
  readonly locality?: string
}

const MOST_NAME = 253

/**
 * The WorkloadEntry of a workload that joins a WorkloadGroup, as Istio's auto-registration makes it: the group's template, under it what the workload
 * says; of labels the workload's win over those of the group's metadata, and these over the template's. Put it into the store while the workload is
 * connected.
 */
export function registerWorkload(group: WorkloadGroup, workload: JoiningWorkload): WorkloadEntry {
  const { metadata, spec } = group
  const { [LABELS.locality]: _, ...labels } = { ...spec.template.labels, ...spec.metadata?.labels, ...workload.labels }
  const parts = [metadata.name, workload.address.replaceAll(':', '-'), workload.network].filter((part) => part !== undefined)
  return {
    kind: 'WorkloadEntry',
    metadata: {
      name: parts.join('-').slice(-MOST_NAME),
      namespace: metadata.namespace,
      labels,
      annotations: { [LABELS.autoRegistrationGroup]: metadata.name, ...spec.metadata?.annotations },
    },
    spec: {
      ...spec.template,
      address: workload.address,
      labels,
      ...(workload.network === undefined ? {} : { network: workload.network }),
      ...(workload.locality === undefined ? {} : { locality: workload.locality }),
    },
  }
}
