import type { InjectionTemplate } from './context.js'
import { gateway } from './gateway.js'
import { grpcAgent } from './grpc-agent.js'
import { grpcSimple } from './grpc-simple.js'
import { istio10 } from './istio-1.0.js'
import { kubeGateway } from './kube-gateway.js'
import { sidecar } from './sidecar.js'
import { waypoint } from './waypoint.js'

/** Istio's own templates, by the names of annotation inject.istio.io/templates. */
export const BUILT_IN_TEMPLATES: Readonly<Record<string, InjectionTemplate>> = {
  sidecar,
  gateway,
  'grpc-simple': grpcSimple,
  'grpc-agent': grpcAgent,
  waypoint,
  'kube-gateway': kubeGateway,
  '1.0': istio10,
}
