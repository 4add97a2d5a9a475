import type { PodTemplate } from '../kubernetes.js'
import * as env from '../parts/environment.js'
import { proxyImage, pullPolicy } from '../parts/image.js'
import { appContainers, canonicalLabels, defaultContainer, revisionAnnotation } from '../parts/metadata.js'
import { PROXY_CONTAINER, PROXY_UID } from '../parts/names.js'
import { probe, proxyArgs } from '../parts/proxy-container.js'
import * as volumes from '../parts/volumes.js'
import { pullSecrets } from '../values.js'
import type { TemplateContext } from './context.js'

/** A pod that is a gateway: the user's own container istio-proxy, filled in; no capture. */
export function gateway(context: TemplateContext): PodTemplate {
  const { values } = context
  const { proxy } = values.global
  const apps = appContainers(context)
  const imagePullSecrets = pullSecrets(values)
  const mounted = [
    volumes.workloadSocket,
    volumes.withEmptyDir(volumes.credentialSocket),
    volumes.withEmptyDir(volumes.workloadCerts),
    ...volumes.caRoot(context),
    volumes.istioData,
    volumes.proxyDirectory('istio-envoy'),
    volumes.token(context),
    ...volumes.mtlsCerts(context),
    volumes.podInfo,
  ]
  const rank = (name: string): number => VOLUME_ORDER.indexOf(name)
  return {
    metadata: {
      labels: canonicalLabels(context),
      annotations: { ...revisionAnnotation(context), ...(apps.length === 1 && defaultContainer(context, apps[0])) },
    },
    spec: {
      securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
      containers: [
        {
          name: PROXY_CONTAINER,
          image: proxyImage(context, proxy.image),
          ports: [{ containerPort: 15_090, protocol: 'TCP', name: 'http-envoy-prom' }],
          args: proxyArgs(context, 'router'),
          ...(proxy.lifecycle !== undefined && { lifecycle: proxy.lifecycle }),
          env: [
            ...env.identityEnv(context),
            env.resourceEnv('ISTIO_CPU_LIMIT', 'limits.cpu'),
            env.proxyConfigEnv(context),
            env.podPortsEnv(context),
            env.resourceEnv('GOMEMLIMIT', 'limits.memory'),
            env.appContainersEnv(context),
            ...env.clusterEnv(context),
            env.interceptionEnv(context.proxyConfig.interceptionMode ?? 'REDIRECT'),
            ...env.workloadEnv(context),
            ...env.meshEnv(context),
            ...env.metadataEnv(context),
          ],
          ...pullPolicy(context),
          readinessProbe: probe(
            { httpGet: { path: '/healthz/ready', port: 15_021 } },
            proxy.readinessInitialDelaySeconds,
            proxy.readinessPeriodSeconds,
            proxy.readinessFailureThreshold,
          ),
          securityContext: { runAsUser: PROXY_UID, runAsGroup: PROXY_UID },
          volumeMounts: volumes.mountsOf(mounted),
        },
      ],
      volumes: mounted.map(({ volume }) => volume).sort((a, b) => rank(a.name) - rank(b.name)),
      ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    },
  }
}

const VOLUME_ORDER = [
  'workload-socket',
  'credential-socket',
  'workload-certs',
  'istio-envoy',
  'istio-data',
  'istio-podinfo',
  'istio-token',
  'istiod-ca-cert',
  'istio-certs',
]
