import type { Resource } from '../../resource.js'

/** Kubernetes core/v1 ServiceAccount. */
export type ServiceAccount = Resource<'ServiceAccount', Readonly<Record<string, unknown>>>
