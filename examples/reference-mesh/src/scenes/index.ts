import type { Scene } from '../scene.js'
import { abByHeader } from './ab-by-header.js'
import { authorization } from './authorization.js'
import { badConfig } from './bad-config.js'
import { canary } from './canary.js'
import { controlPlaneRestart } from './control-plane-restart.js'
import { egress } from './egress.js'
import { explain } from './explain.js'
import { explainDenial } from './explain-denial.js'
import { extAuthz } from './ext-authz.js'
import { fault } from './fault.js'
import { grpc } from './grpc.js'
import { ingress } from './ingress.js'
import { ingressTls } from './ingress-tls.js'
import { jwt } from './jwt.js'
import { localRateLimit } from './local-rate-limit.js'
import { metrics } from './metrics.js'
import { mirror } from './mirror.js'
import { mtls } from './mtls.js'
import { outlierDetection } from './outlier-detection.js'
import { ownFilter } from './own-filter.js'
import { rehearsal } from './rehearsal.js'
import { resilience } from './resilience.js'

/** In the order in which they are shown. Metrics last: they count what all the others did. */
export const scenes: readonly Scene[] = [
  canary,
  abByHeader,
  mirror,
  ingress,
  ingressTls,
  grpc,
  ownFilter,
  egress,
  mtls,
  rehearsal,
  authorization,
  jwt,
  extAuthz,
  resilience,
  fault,
  outlierDetection,
  localRateLimit,
  badConfig,
  controlPlaneRestart,
  explain,
  explainDenial,
  metrics,
]
