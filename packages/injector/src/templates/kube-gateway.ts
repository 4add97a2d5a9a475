import type { Container, PodTemplate } from '../kubernetes.js'
import * as env from '../parts/environment.js'
import { gatewayArgs, gatewayContainer } from '../parts/gateway-container.js'
import { canonicalLabels, revisionAnnotation } from '../parts/metadata.js'
import * as volumes from '../parts/volumes.js'
import { pullSecrets } from '../values.js'
import type { TemplateContext } from './context.js'

/** The pod that serves a Gateway of the Gateway API: Istio's files/kube-gateway.yaml. */
export function kubeGateway(context: TemplateContext): PodTemplate {
  const { values } = context
  const { securityContext, seccompProfile } = values.gateways
  const imagePullSecrets = pullSecrets(values)
  return {
    metadata: { labels: canonicalLabels(context), annotations: revisionAnnotation(context) },
    spec: {
      securityContext: securityContext ?? {
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
        ...(seccompProfile !== undefined && { seccompProfile }),
      },
      containers: [container(context)],
      volumes: [
        volumes.withEmptyDir(volumes.workloadSocket),
        volumes.withEmptyDir(volumes.credentialSocket),
        volumes.withEmptyDir(volumes.workloadCerts),
        volumes.proxyDirectory('istio-envoy'),
        volumes.istioData,
        volumes.podInfo,
        volumes.token(context),
        ...volumes.caRoot(context),
      ].map(({ volume }) => volume),
      ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    },
  }
}

function container(context: TemplateContext): Container {
  const { proxyConfig, values } = context
  const { proxy, sts } = values.global
  return {
    ...gatewayContainer(context),
    resources: proxy.resources,
    args: gatewayArgs(context, 'router', sts.servicePort === 0 ? [] : [`--stsPort=${sts.servicePort}`]),
    ...(proxy.lifecycle !== undefined && { lifecycle: proxy.lifecycle }),
    env: [
      ...env.identityEnv(context),
      env.resourceEnv('ISTIO_CPU_LIMIT', 'limits.cpu'),
      env.proxyConfigEnv(context),
      { name: 'ISTIO_META_POD_PORTS', value: '[]' },
      { name: 'ISTIO_META_APP_CONTAINERS', value: '' },
      env.resourceEnv('GOMEMLIMIT', 'limits.memory'),
      env.resourceEnv('GOMAXPROCS', 'limits.cpu'),
      ...env.clusterEnv(context),
      env.interceptionEnv(proxyConfig.interceptionMode ?? 'REDIRECT'),
      ...env.workloadEnv(context),
      ...env.meshEnv(context),
      ...env.metadataEnv(context),
    ],
    volumeMounts: volumes.mountsOf([
      volumes.workloadSocket,
      volumes.credentialSocket,
      volumes.workloadCerts,
      ...volumes.caRoot(context),
      volumes.istioData,
      volumes.proxyDirectory('istio-envoy'),
      volumes.token(context),
      volumes.podInfo,
    ]),
  }
}
