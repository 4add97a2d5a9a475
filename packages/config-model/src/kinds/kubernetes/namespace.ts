import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 Namespace: its labels matter. */
export type Namespace = Resource<'Namespace', Readonly<Record<string, unknown>>>
