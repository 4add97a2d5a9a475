import { isRecord } from '../../decode/value.js'
import type { PodSpec } from '../../kinds/kubernetes/pod.js'
import type { Analyzer } from '../analyzer.js'
import { isControlPlane } from '../namespaces.js'
import { PROXY_CONTAINER } from '../workloads.js'

const PROXY_UID = 1337

/** Applications with the proxy's user: their traffic passes by the sidecar. */
export const applicationUid: Analyzer = {
  name: 'applicationUID.Analyzer',
  summary: `applications that run as user ${PROXY_UID}, which is the proxy's`,
  messages: ['InvalidApplicationUID'],
  analyze(context, report) {
    for (const pod of context.of('Pod')) {
      const path = isControlPlane(pod) ? undefined : uidPath(pod.spec)
      if (path !== undefined) report('InvalidApplicationUID', pod, `spec.${path}`)
    }
    for (const deployment of context.of('Deployment')) {
      const path = isControlPlane(deployment) ? undefined : uidPath(deployment.spec.template?.spec ?? {})
      if (path !== undefined) report('InvalidApplicationUID', deployment, `spec.template.spec.${path}`)
    }
  },
}

// Where the user is set, in the pod or in a container that is not the proxy.
function uidPath({ securityContext, containers = [] }: PodSpec): string | undefined {
  if (isProxyUser(securityContext)) return 'securityContext.runAsUser'
  const at = containers.findIndex(
    (one) => one.name !== PROXY_CONTAINER && one.name !== 'istio-operator' && isProxyUser(one['securityContext']),
  )
  return at < 0 ? undefined : `containers[${at}].securityContext.runAsUser`
}

function isProxyUser(context: unknown): boolean {
  return isRecord(context) && context['runAsUser'] === PROXY_UID
}
