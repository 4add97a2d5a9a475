import { annotation } from '../annotations.js'
import type { ContainerPort, EnvVar } from '../kubernetes.js'
import { proxyConfigJson } from '../proxy-config.js'
import type { TemplateContext } from '../templates/context.js'
import type { InjectionValues } from '../values.js'
import { appContainers } from './metadata.js'

const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } })

/** Kubernetes leaves an empty value out. */
function withoutEmpty(name: string, value: string): EnvVar {
  return value === '' ? { name } : { name, value }
}

/** A limit of the container itself, in whole units. */
export function resourceEnv(name: string, resource: string): EnvVar {
  return { name, valueFrom: { resourceFieldRef: { divisor: '1', resource } } }
}

/** Where the app listens on localhost only, the agent probes it there. */
export function localhostEnv({ meshConfig }: TemplateContext): EnvVar[] {
  if (meshConfig.inboundTrafficPolicy?.mode !== 'LOCALHOST') return []
  return [{ name: 'REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION', value: 'true' }]
}

/** How the agent finds and proves itself to the CA. */
export function identityEnv({ values }: TemplateContext): EnvVar[] {
  const { caAddress, istioNamespace, pilotCertProvider } = values.global
  const revision = values.revision === '' ? '' : `-${values.revision}`
  return [
    { name: 'PILOT_CERT_PROVIDER', value: pilotCertProvider },
    { name: 'CA_ADDR', value: caAddress === '' ? `istiod${revision}.${istioNamespace}.svc:15012` : caAddress },
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('INSTANCE_IP', 'status.podIP'),
    field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    field('HOST_IP', 'status.hostIP'),
  ]
}

export function proxyConfigEnv({ proxyConfig }: TemplateContext): EnvVar {
  return { name: 'PROXY_CONFIG', value: `${proxyConfigJson(proxyConfig)}\n` }
}

/** The ports of all containers, one JSON object a line: the agent hands them to the control plane. */
export function podPortsEnv({ spec }: TemplateContext): EnvVar {
  const ports = (spec.containers ?? []).flatMap((container) => container.ports ?? []).map(portJson)
  const lines = ports.map((port, i) => `    ${i === 0 ? '' : ','}${port}\n`)
  return { name: 'ISTIO_META_POD_PORTS', value: `[\n${lines.join('')}]` }
}

// Field order of corev1.ContainerPort.
function portJson({ name, hostPort, containerPort, protocol, hostIP }: ContainerPort): string {
  return JSON.stringify({ name, hostPort, containerPort, protocol, hostIP })
}

export function appContainersEnv(context: TemplateContext): EnvVar {
  return withoutEmpty('ISTIO_META_APP_CONTAINERS', appContainers(context).join(','))
}

/** The cluster, unless the values name it: then it comes last, with the network. */
export function clusterEnv({ values }: TemplateContext): EnvVar[] {
  const unnamed = values.global.multiCluster.clusterName === ''
  return [
    ...(unnamed ? [{ name: 'ISTIO_META_CLUSTER_ID', value: 'Kubernetes' }] : []),
    field('ISTIO_META_NODE_NAME', 'spec.nodeName'),
  ]
}

/** Cluster and network of the pod, where the values or a label name them. */
export function placeEnv(values: InjectionValues, network: string): EnvVar[] {
  const { clusterName } = values.global.multiCluster
  return [
    ...(clusterName === '' ? [] : [{ name: 'ISTIO_META_CLUSTER_ID', value: clusterName }]),
    ...(network === '' ? [] : [{ name: 'ISTIO_META_NETWORK', value: network }]),
  ]
}

export function interceptionEnv(mode: string): EnvVar {
  return { name: 'ISTIO_META_INTERCEPTION_MODE', value: mode }
}

/** Name and owner of the workload. */
export function workloadEnv({ metadata, owner }: TemplateContext): EnvVar[] {
  if (owner.name === '') return []
  const name = metadata.labels?.['service.istio.io/workload-name'] || owner.name
  const uid = `kubernetes://apis/${owner.apiVersion}/namespaces/${owner.namespace || 'default'}/${owner.kind.toLowerCase()}s/${owner.name}`
  return [
    { name: 'ISTIO_META_WORKLOAD_NAME', value: name },
    ...(owner.apiVersion === '' ? [] : [{ name: 'ISTIO_META_OWNER', value: uid }]),
  ]
}

export function bootstrapOverrideEnv({ metadata }: TemplateContext): EnvVar[] {
  if (annotation(metadata, 'sidecar.istio.io/bootstrapOverride', '') === '') return []
  return [{ name: 'ISTIO_BOOTSTRAP_OVERRIDE', value: '/etc/istio/custom-bootstrap/custom_bootstrap.json' }]
}

export function meshEnv({ values, meshConfig }: TemplateContext): EnvVar[] {
  const trustDomain = meshConfig.trustDomain || 'cluster.local'
  return [
    { name: 'ISTIO_META_MESH_ID', value: values.global.meshID || trustDomain },
    { name: 'TRUST_DOMAIN', value: trustDomain },
  ]
}

/** proxyMetadata of the proxy config, sorted by name. */
export function metadataEnv({ proxyConfig }: TemplateContext): EnvVar[] {
  return Object.entries(proxyConfig.proxyMetadata ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => withoutEmpty(name, String(value)))
}

/** Resource attributes in OpenTelemetry's conventions for Kubernetes, if a tracing provider of the mesh asks for them. */
export function telemetryEnv({ meshConfig, metadata, owner, spec }: TemplateContext): EnvVar[] {
  const asked = meshConfig.extensionProviders?.some(
    ({ opentelemetry }) => opentelemetry?.serviceAttributeEnrichment === 'OTEL_SEMANTIC_CONVENTIONS',
  )
  if (asked !== true) return []
  const namespace = owner.namespace || 'default'
  const version = metadata.labels?.['app.kubernetes.io/version']
  const attributes = [
    `service.namespace=${namespace}`,
    ...(version === undefined ? [] : [`service.version=${version}`]),
    `service.instance.id=${namespace}.$(POD_NAME).${spec.containers?.[0]?.name ?? ''}`,
  ]
  return [{ name: 'OTEL_RESOURCE_ATTRIBUTES', value: attributes.join(',') }]
}
