import type { KubernetesGateway } from '@heddle/config-model'
import type { KubernetesObject, Metadata } from '../kubernetes.js'
import { placeEnv } from '../parts/environment.js'
import type { TemplateContext } from '../templates/context.js'
import { kubeGateway } from '../templates/kube-gateway.js'
import { waypoint } from '../templates/waypoint.js'
import { type DeployedClass, MESH_CONTROLLER } from './classes.js'
import { type Infrastructure, NETWORK } from './infrastructure.js'
import type { ServicePort } from './service-ports.js'

/** What all objects are made from. */
export interface Drawing {
  readonly gateway: KubernetesGateway
  readonly info: DeployedClass
  /** Of the Deployment and the Service. */
  readonly name: string
  /** The service account. */
  readonly account: string
  readonly infrastructure: Infrastructure
  readonly revision: string
  readonly ports: readonly ServicePort[]
}

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name'

/** The labels of Istio's controller; they win over the user's. */
function ownLabels({ gateway, info }: Drawing): Record<string, string> {
  return {
    [GATEWAY_NAME]: gateway.metadata.name,
    'gateway.networking.k8s.io/gateway-class-name': gateway.spec.gatewayClassName,
    'gateway.istio.io/managed': info.controller.replace('/', '-'),
  }
}

function metadataOf(drawing: Drawing, name: string, defaults: Readonly<Record<string, string>> = {}): Metadata {
  const { gateway, infrastructure } = drawing
  const { uid, namespace } = gateway.metadata
  const owner = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: gateway.metadata.name, uid }
  return {
    ...{ name, namespace },
    annotations: { ...defaults, ...infrastructure.annotations },
    labels: { ...infrastructure.labels, ...ownLabels(drawing) },
    ...(uid === undefined ? {} : { ownerReferences: [owner] }),
  }
}

export function account(drawing: Drawing): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(drawing, drawing.account) }
}

export function podSpec(drawing: Drawing, given: Pick<TemplateContext, 'values' | 'meshConfig' | 'proxyConfig'>): object {
  const { gateway, info, name, infrastructure, revision } = drawing
  const { namespace, annotations } = gateway.metadata
  const template = info.template === 'waypoint' ? waypoint : kubeGateway
  const { spec } = template({
    ...given,
    metadata: { name, namespace, labels: { ...infrastructure.labels, ...ownLabels(drawing) }, annotations: { ...annotations } },
    spec: { serviceAccountName: drawing.account },
    owner: { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace },
    revision,
    nativeSidecar: false,
  })
  const network = infrastructure.labels[NETWORK]
  // A gateway into a network sees that network only; a waypoint sees them all.
  const sees = network !== undefined && info.controller !== MESH_CONTROLLER
  const more = [
    ...placeEnv(given.values, network ?? given.values.global.network),
    ...(sees ? [{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: network }] : []),
  ]
  const containers = spec?.containers?.map((proxy) => ({ ...proxy, env: [...(proxy.env ?? []), ...more] }))
  return { serviceAccountName: drawing.account, ...spec, containers }
}

export function deployment(drawing: Drawing, spec: object): KubernetesObject {
  const { gateway, info, name, infrastructure, revision } = drawing
  const annotations = {
    ...infrastructure.annotations,
    'istio.io/rev': revision,
    'prometheus.io/path': '/stats/prometheus',
    'prometheus.io/port': '15020',
    'prometheus.io/scrape': 'true',
  }
  const labels = {
    'sidecar.istio.io/inject': 'false',
    ...(info.template === 'waypoint' && { 'istio.io/dataplane-mode': 'none' }),
    'service.istio.io/canonical-name': name,
    'service.istio.io/canonical-revision': 'latest',
    ...infrastructure.labels,
    ...ownLabels(drawing),
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(drawing, name),
    spec: {
      selector: { matchLabels: { [GATEWAY_NAME]: gateway.metadata.name } },
      template: { metadata: { annotations, labels }, spec },
    },
  }
}

export function service(drawing: Drawing): KubernetesObject {
  const { gateway, info, name, ports } = drawing
  const type = gateway.metadata.annotations['networking.istio.io/service-type'] ?? info.serviceType
  const [address] = gateway.spec.addresses ?? []
  const near = info.template === 'waypoint' ? { 'networking.istio.io/traffic-distribution': 'PreferClose' } : {}
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(drawing, name, near),
    spec: {
      ipFamilyPolicy: 'PreferDualStack',
      ports: [...ports],
      selector: { [GATEWAY_NAME]: gateway.metadata.name },
      ...(address !== undefined && type === 'LoadBalancer' && { loadBalancerIP: address.value }),
      type,
    },
  }
}

export function autoscaler(drawing: Drawing): KubernetesObject {
  const { name } = drawing
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadataOf(drawing, name),
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, maxReplicas: 1 },
  }
}

export function disruptionBudget(drawing: Drawing): KubernetesObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(drawing, drawing.name),
    spec: { selector: { matchLabels: { [GATEWAY_NAME]: drawing.gateway.metadata.name } } },
  }
}
