import type { Scene } from '../scene.js'
import { abByHeader } from './ab-by-header.js'
import { authorization } from './authorization.js'
import { badConfig } from './bad-config.js'
import { canary } from './canary.js'
import { controlPlaneRestart } from './control-plane-restart.js'
import { egress } from './egress.js'
import { explain } from './explain.js'
import { ingress } from './ingress.js'
import { ingressTls } from './ingress-tls.js'
import { metrics } from './metrics.js'
import { mtls } from './mtls.js'
import { resilience } from './resilience.js'

/** In the order in which they are shown. Metrics last: they count what all the others did. */
export const scenes: readonly Scene[] = [
  canary,
  abByHeader,
  ingress,
  ingressTls,
  egress,
  mtls,
  authorization,
  resilience,
  badConfig,
  controlPlaneRestart,
  explain,
  metrics,
]
