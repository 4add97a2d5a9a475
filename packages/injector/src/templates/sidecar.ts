import type { Container, PodTemplate } from '../kubernetes.js'
import { captureAnnotations } from '../parts/capture-annotations.js'
import * as env from '../parts/environment.js'
import { proxyImage, pullPolicy } from '../parts/image.js'
import { captureContainer, coreDumpContainer } from '../parts/init-container.js'
import { appContainers, canonicalLabels, defaultContainer, revisionAnnotation } from '../parts/metadata.js'
import { PROXY_CONTAINER } from '../parts/names.js'
import {
  interceptionMode,
  proxyArgs,
  proxyLifecycle,
  proxyProbes,
  proxyResources,
  proxySecurity,
} from '../parts/proxy-container.js'
import * as volumes from '../parts/volumes.js'
import { pullSecrets } from '../values.js'
import type { TemplateContext } from './context.js'

/** The default: a proxy beside the app, and capture. */
export function sidecar(context: TemplateContext): PodTemplate {
  const { metadata, values, owner, nativeSidecar } = context
  const proxy = proxyContainer(context)
  const searches = values.global.podDNSSearchNamespaces.map((search) =>
    search.replaceAll('{{ valueOrDefault .DeploymentMeta.Namespace "default" }}', owner.namespace || 'default'),
  )
  const imagePullSecrets = pullSecrets(values)
  return {
    metadata: {
      labels: {
        'security.istio.io/tlsMode': metadata.labels?.['security.istio.io/tlsMode'] || 'istio',
        ...canonicalLabels(context),
      },
      annotations: {
        ...revisionAnnotation(context),
        ...defaultContainer(context, appContainers(context)[0]),
        ...captureAnnotations(context),
      },
    },
    spec: {
      initContainers: [...captureContainer(context), ...coreDumpContainer(context), ...(nativeSidecar ? [proxy] : [])],
      containers: nativeSidecar ? [] : [proxy],
      volumes: [...mounted(context).map(({ volume }) => volume), ...volumes.userVolumes(context)],
      ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
      ...(searches.length > 0 && { dnsConfig: { searches } }),
    },
  }
}

// The order of the volumes in the pod; mounts have another.
function mounted(context: TemplateContext): volumes.MountedVolume[] {
  return [
    volumes.workloadSocket,
    volumes.credentialSocket,
    volumes.workloadCerts,
    ...volumes.bootstrapOverride(context),
    volumes.proxyDirectory('istio-envoy'),
    volumes.istioData,
    volumes.podInfo,
    volumes.token(context),
    ...volumes.caRoot(context),
    ...volumes.caRevocations(context),
    ...volumes.mtlsCerts(context),
  ]
}

function proxyContainer(context: TemplateContext): Container {
  return {
    name: PROXY_CONTAINER,
    image: proxyImage(context, context.values.global.proxy.image),
    ...(context.nativeSidecar && { restartPolicy: 'Always' }),
    ports: [{ containerPort: 15_090, protocol: 'TCP', name: 'http-envoy-prom' }],
    args: proxyArgs(context, 'sidecar'),
    ...proxyLifecycle(context),
    env: [
      ...env.localhostEnv(context),
      ...env.identityEnv(context),
      env.resourceEnv('ISTIO_CPU_LIMIT', 'limits.cpu'),
      env.proxyConfigEnv(context),
      env.podPortsEnv(context),
      env.appContainersEnv(context),
      env.resourceEnv('GOMEMLIMIT', 'limits.memory'),
      ...env.clusterEnv(context),
      env.interceptionEnv(interceptionMode(context)),
      ...env.workloadEnv(context),
      ...env.bootstrapOverrideEnv(context),
      ...env.meshEnv(context),
      ...env.metadataEnv(context),
      ...env.telemetryEnv(context),
    ],
    ...pullPolicy(context),
    ...proxyProbes(context),
    securityContext: proxySecurity(context),
    resources: proxyResources(context),
    volumeMounts: [
      ...volumes.mountsOf([
        volumes.workloadSocket,
        volumes.credentialSocket,
        volumes.workloadCerts,
        ...volumes.caRoot(context),
        ...volumes.caRevocations(context),
        volumes.istioData,
        ...volumes.bootstrapOverride(context),
        volumes.proxyDirectory('istio-envoy'),
        volumes.token(context),
        ...volumes.mtlsCerts(context),
        volumes.podInfo,
      ]),
      ...volumes.userVolumeMounts(context),
    ],
  }
}
