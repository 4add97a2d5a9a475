import type { PodTemplate } from '../kubernetes.js'
import * as env from '../parts/environment.js'
import { proxyImage, pullPolicy } from '../parts/image.js'
import { appContainers, canonicalLabels, defaultContainer, revisionAnnotation } from '../parts/metadata.js'
import { PROXY_CONTAINER } from '../parts/names.js'
import { probe, proxyArgs, proxyResources } from '../parts/proxy-container.js'
import * as volumes from '../parts/volumes.js'
import { pullSecrets } from '../values.js'
import type { TemplateContext } from './context.js'

const XDS = volumes.proxyDirectory('istio-xds')
const READY_PORT = 15_020

/** Proxyless gRPC with an agent that writes the bootstrap and the certificates; no proxy runs. */
export function grpcAgent(context: TemplateContext): PodTemplate {
  const { spec, values } = context
  const imagePullSecrets = pullSecrets(values)
  const mounted = [
    volumes.workloadSocket,
    volumes.workloadCerts,
    XDS,
    volumes.istioData,
    volumes.podInfo,
    volumes.token(context),
    ...volumes.caRoot(context),
    ...volumes.mtlsCerts(context),
  ]
  return {
    metadata: {
      labels: canonicalLabels(context),
      annotations: {
        ...revisionAnnotation(context),
        'sidecar.istio.io/rewriteAppHTTPProbers': 'false',
        ...defaultContainer(context, appContainers(context)[0]),
      },
    },
    spec: {
      containers: [
        agentContainer(context),
        ...(spec.containers ?? []).filter(({ name }) => name !== PROXY_CONTAINER).map(({ name }) => appContainer(name)),
      ],
      volumes: mounted.map(({ volume }) => volume),
      ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    },
  }
}

function appContainer(name: string) {
  return {
    name,
    env: [
      { name: 'GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT', value: 'true' },
      { name: 'GRPC_XDS_BOOTSTRAP', value: '/etc/istio/proxy/grpc-bootstrap.json' },
    ],
    volumeMounts: volumes.mountsOf([volumes.istioData, XDS, volumes.workloadCerts]),
  }
}

function agentContainer(context: TemplateContext) {
  const { proxy } = context.values.global
  return {
    name: PROXY_CONTAINER,
    image: proxyImage(context, proxy.image),
    ports: [{ containerPort: READY_PORT, protocol: 'TCP', name: 'mesh-metrics' }],
    args: proxyArgs(context, 'sidecar'),
    lifecycle: {
      postStart: { exec: { command: ['pilot-agent', 'wait', `--url=http://localhost:${READY_PORT}/healthz/ready`] } },
    },
    env: [
      { name: 'ISTIO_META_GENERATOR', value: 'grpc' },
      { name: 'OUTPUT_CERTS', value: '/var/lib/istio/data' },
      ...env.identityEnv(context),
      env.proxyConfigEnv(context),
      env.podPortsEnv(context),
      env.appContainersEnv(context),
      ...env.clusterEnv(context),
      ...env.workloadEnv(context),
      ...env.meshEnv(context),
      ...env.metadataEnv(context),
      // Gives gRPC the address of the control plane, and leaves names to the pod's own resolver.
      { name: 'ISTIO_META_DNS_CAPTURE', value: 'false' },
      { name: 'DISABLE_ENVOY', value: 'true' },
    ],
    ...pullPolicy(context),
    readinessProbe: probe(
      { httpGet: { path: '/healthz/ready', port: READY_PORT } },
      proxy.readinessInitialDelaySeconds,
      proxy.readinessPeriodSeconds,
      proxy.readinessFailureThreshold,
    ),
    resources: proxyResources(context),
    volumeMounts: volumes.mountsOf([
      volumes.workloadSocket,
      volumes.workloadCerts,
      ...volumes.caRoot(context),
      volumes.istioData,
      XDS,
      volumes.token(context),
      ...volumes.mtlsCerts(context),
      volumes.podInfo,
    ]),
  }
}
