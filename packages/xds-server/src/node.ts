import type { Node } from '@heddle/xds-types/envoy/config/core/v3'

/** The client as it introduces itself in the first request of a stream (`envoy.config.core.v3.Node`), with an id that is not empty. */
export type NodeInfo = Node & { readonly id: string }
