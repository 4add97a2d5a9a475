import type { Container, PodTemplate } from '../kubernetes.js'
import * as env from '../parts/environment.js'
import { gatewayArgs, gatewayContainer } from '../parts/gateway-container.js'
import { canonicalLabels, revisionAnnotation } from '../parts/metadata.js'
import * as volumes from '../parts/volumes.js'
import { pullSecrets } from '../values.js'
import type { TemplateContext } from './context.js'

/** The pod of a waypoint, ambient mode's HTTP proxy, and of an east-west gateway: Istio's files/waypoint.yaml. */
export function waypoint(context: TemplateContext): PodTemplate {
  const { values } = context
  const { resources: _, ...placement } = values.global.waypoint
  const imagePullSecrets = pullSecrets(values)
  return {
    metadata: {
      labels: { 'istio.io/dataplane-mode': 'none', ...canonicalLabels(context) },
      annotations: revisionAnnotation(context),
    },
    spec: {
      ...Object.fromEntries(Object.entries(placement).filter(([, value]) => Object.keys(value).length > 0)),
      containers: [container(context)],
      volumes: [
        volumes.withEmptyDir(volumes.workloadSocket),
        volumes.proxyDirectory('istio-envoy'),
        volumes.proxyDirectory('go-proxy-envoy'),
        volumes.istioData,
        { ...volumes.istioData, volume: { ...volumes.istioData.volume, name: 'go-proxy-data' } },
        volumes.podInfo,
        volumes.token(context),
        volumes.meshRoot(context),
      ].map(({ volume }) => volume),
      ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    },
  }
}

function container(context: TemplateContext): Container {
  const { spec, values } = context
  const { seccompProfile } = values.gateways
  const { outlierLogPath } = values.global.proxy
  const alone = gatewayContainer(context)
  return {
    ...alone,
    args: [
      ...gatewayArgs(context, 'waypoint', ['--serviceCluster', `${spec.serviceAccountName || 'default'}.$(POD_NAMESPACE)`]),
      ...(outlierLogPath === '' ? [] : [`--outlierLogPath=${outlierLogPath}`]),
    ],
    env: [
      { name: 'ISTIO_META_SERVICE_ACCOUNT', valueFrom: { fieldRef: { fieldPath: 'spec.serviceAccountName' } } },
      ...env.identityEnv(context),
      env.resourceEnv('ISTIO_CPU_LIMIT', 'limits.cpu'),
      env.proxyConfigEnv(context),
      ...env.metadataEnv(context),
      env.resourceEnv('GOMEMLIMIT', 'limits.memory'),
      env.resourceEnv('GOMAXPROCS', 'limits.cpu'),
      ...env.clusterEnv(context),
      env.interceptionEnv('REDIRECT'),
      ...env.workloadEnv(context),
      ...env.meshEnv(context),
    ],
    resources: values.global.waypoint.resources,
    securityContext: { ...alone.securityContext, ...(seccompProfile !== undefined && { seccompProfile }) },
    volumeMounts: volumes.mountsOf([
      volumes.workloadSocket,
      volumes.meshRoot(context),
      volumes.istioData,
      volumes.proxyDirectory('istio-envoy'),
      volumes.token(context),
      volumes.podInfo,
    ]),
  }
}
