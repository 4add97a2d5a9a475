import type { Suite } from '../suite.js'
import { ambientAuthorization } from './ambient-authorization.js'
import { analysis } from './analysis.js'
import { authorization } from './authorization.js'
import { captureIptables, captureNftables } from './capture.js'
import { envoy } from './envoy.js'
import { gatewayApi } from './gateway-api.js'
import { gatewayApiConformance } from './gateway-api-conformance.js'
import { http1Desync } from './http1-desync.js'
import { ingress } from './ingress.js'
import { injection } from './injection.js'
import { istiod } from './istiod.js'
import { jws } from './jws.js'
import { pathNormalization } from './path-normalization.js'
import { sidecarRoutes } from './sidecar-routes.js'
import { simulation } from './simulation.js'
import { validation } from './validation.js'
import { x509Limbo } from './x509-limbo.js'

/** In the order in which they run: what is quick first. */
export const suites: readonly Suite[] = [
  validation,
  analysis,
  authorization,
  ambientAuthorization,
  simulation,
  sidecarRoutes,
  injection,
  captureIptables,
  captureNftables,
  gatewayApi,
  gatewayApiConformance,
  ingress,
  http1Desync,
  pathNormalization,
  jws,
  x509Limbo,
  istiod,
  envoy,
]
