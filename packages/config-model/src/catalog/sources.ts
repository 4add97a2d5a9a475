import { type Collection, createSource, type Graph, type Source } from '@heddle/runtime'
import type { KindName, KindOf } from '../kinds/index.js'
import type { MeshConfig } from '../kinds/mesh-config.js'

/** The written kinds as collections, keyed `namespace/name`. */
export type KindSources = { readonly [K in KindName]: Source<KindOf<K>> }

/** The kinds as collections, keyed `namespace/name`: what is written, and perhaps what follows from other objects. */
export type KindCollections = { readonly [K in KindName]: Collection<KindOf<K>> }

/** What a catalogue is derived from. */
export interface CatalogOptions {
  /** Whether hosts of ServiceEntries that have no address get one of 240.240.0.0/16. */
  readonly allocateAddresses: boolean
  /** Whether pods are endpoints of the Services that select them, while no EndpointSlice and no Endpoints is there. */
  readonly endpointsFromPods: boolean
  readonly graph: Graph
  readonly sources: KindCollections
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
  /** `cluster.local`. */
  readonly domainSuffix: string
  /** Name of the own cluster. */
  readonly cluster: string
  /** Network of workloads that say none; '': nobody says. */
  readonly network: string
}

/** A source for each kind, in `graph`. */
export function createKindSources(graph: Graph, kinds: readonly KindName[]): KindSources {
  return Object.fromEntries(
    kinds.map((kind) => [kind, createSource({ graph, name: `config.${kind}` })]),
  ) as unknown as KindSources
}
