import { NameTable } from '../gen/istio/networking/nds/v1.js'
import { Authorization } from '../gen/istio/security.js'
import { Address, Workload } from '../gen/istio/workload.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'
import type { References } from './references.js'

/** What ambient proxies know of workloads and services. A workload is called by its uid, a service `namespace/hostname`. */
export function createAddressType(registry: TypeRegistry): ResourceType<Address> {
  return createResourceType<Address>(Address, registry, {
    shortName: 'Address',
    nameOf: ({ workload, service }) =>
      workload?.uid ?? (service === undefined ? undefined : `${service.namespace ?? ''}/${service.hostname ?? ''}`),
    references: ({ workload }, refs) => addPolicies(workload, refs),
  })
}

/** Workloads alone, by uid. */
export function createWorkloadType(registry: TypeRegistry): ResourceType<Workload> {
  return createResourceType<Workload>(Workload, registry, {
    shortName: 'Workload',
    nameOf: (workload) => workload.uid,
    references: addPolicies,
  })
}

/** Policies of ambient proxies, `namespace/name`. */
export function createAuthorizationType(registry: TypeRegistry): ResourceType<Authorization> {
  return createResourceType<Authorization>(Authorization, registry, {
    shortName: 'Authorization',
    nameOf: ({ name, namespace }) => (name === undefined || name === '' ? undefined : `${namespace ?? ''}/${name}`),
  })
}

/** NDS: host names for the agent's DNS proxy. There is one table for each proxy, and it says no name of its own: who asks for none gets it. */
export function createNameTableType(registry: TypeRegistry): ResourceType<NameTable> {
  return createResourceType<NameTable>(NameTable, registry, {
    shortName: 'NameTable',
    fullStateInSotw: true,
    nameOf: () => 'NameTable',
  })
}

function addPolicies(workload: Workload | undefined, refs: References): void {
  for (const name of workload?.authorization_policies ?? []) refs.add(Authorization.typeUrl, name)
}
