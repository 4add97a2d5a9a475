import { decodeResource, type KubernetesGateway, type ListenerSet } from '@heddle/config-model'
import { fail, ok, type Result } from '@heddle/runtime'
import { checkAnnotations } from '../annotations.js'
import type { KubernetesObject } from '../kubernetes.js'
import type { InjectOptions } from '../options.js'
import { PROXY_CONFIG_ANNOTATION, podProxyConfig } from '../proxy-config.js'
import { resolveValues } from '../values.js'
import { type DeployedClass, deployedClass } from './classes.js'
import { infrastructureOf } from './infrastructure.js'
import { account, autoscaler, type Drawing, deployment, disruptionBudget, podSpec, service } from './objects.js'
import { overlaysOf, withOverlays } from './overlays.js'
import { servicePorts } from './service-ports.js'

export interface RenderGatewayOptions extends Pick<InjectOptions, 'values' | 'meshConfig' | 'revision'> {
  /**
   * What else is in the cluster: GatewayClasses other than Istio's own, ListenerSets, the ConfigMap of `infrastructure.parametersRef`, one with
   * defaults of a class, Namespaces that `allowedListeners` selects. Default: nothing.
   */
  readonly among?: readonly KubernetesObject[]
}

export interface GatewayDeployment {
  /** ServiceAccount, Deployment and Service; HorizontalPodAutoscaler and PodDisruptionBudget where an overlay has them. */
  readonly objects: readonly KubernetesObject[]
  /** Why there are none. */
  readonly reason?: string
}

/**
 * What Istio's controller deploys for a Gateway of the Gateway API: classes `istio` (template kube-gateway), `istio-waypoint` and
 * `istio-east-west` (template waypoint). Without a `uid` the Gateway does not own them. Pure: applying them is the caller's. Fails with
 * `gateway.invalid_parameters`, `inject.invalid_annotation` or, where the Gateway itself is wrong, codes of config-model.
 */
export function renderGateway(gateway: KubernetesObject, options: RenderGatewayOptions = {}): Result<GatewayDeployment> {
  const decoded = decodeResource(gateway)
  if (!decoded.ok) return fail(...decoded.diagnostics)
  const { resource } = decoded.value
  if (!decoded.value.known || resource.kind !== 'KubernetesGateway')
    return none(`${resource.kind} is no Gateway of gateway.networking.k8s.io`)
  return renderDecoded(resource as KubernetesGateway, options)
}

const none = (reason: string): Result<GatewayDeployment> => ok({ objects: [], reason })

function renderDecoded(gateway: KubernetesGateway, options: RenderGatewayOptions): Result<GatewayDeployment> {
  const { metadata, spec } = gateway
  const { among = [] } = options
  const info = deployedClass(spec.gatewayClassName, among)
  if (typeof info === 'string') return none(info)
  const [address, ...others] = spec.addresses ?? []
  if (others.length > 0 || (address !== undefined && (address.type ?? 'IPAddress') !== 'IPAddress'))
    return none('its addresses name what somebody else deploys')
  const { annotations } = metadata
  const wrong = checkAnnotations({ annotations: { ...annotations } })
  if (wrong.length > 0) return fail(...wrong)
  const { meshConfig = {} } = options
  const values = resolveValues(options.values)
  const proxyConfig = podProxyConfig(meshConfig, annotations[PROXY_CONFIG_ANNOTATION])
  const overlays = overlaysOf(gateway, values.global.istioNamespace, among)
  if (!proxyConfig.ok || !overlays.ok) return fail(...proxyConfig.diagnostics, ...overlays.diagnostics)
  const name = annotations['gateway.istio.io/name-override'] || ownName(gateway, info)
  const drawing: Drawing = {
    ...{ gateway, info, name, infrastructure: infrastructureOf(gateway, values) },
    account: annotations['gateway.istio.io/service-account'] || ownName(gateway, info),
    revision: options.revision ?? 'default',
    ports: servicePorts(gateway, listenerSets(among), among),
  }
  const pod = podSpec(drawing, { values, meshConfig, proxyConfig: proxyConfig.value })
  const drawn = [account(drawing), deployment(drawing, pod), service(drawing), autoscaler(drawing), disruptionBudget(drawing)]
  const merged = drawn.map((object) => withOverlays(object, overlays.value))
  const objects: KubernetesObject[] = []
  for (const object of merged) {
    if (!object.ok) return fail(...object.diagnostics)
    if (object.value !== undefined) objects.push(object.value)
  }
  return ok({ objects })
}

function ownName({ metadata, spec }: KubernetesGateway, { plainName }: DeployedClass): string {
  return plainName ? metadata.name : `${metadata.name}-${spec.gatewayClassName}`
}

function listenerSets(among: readonly KubernetesObject[]): ListenerSet[] {
  return among.flatMap((object) => {
    const decoded = object.kind === 'ListenerSet' ? decodeResource(object) : undefined
    return decoded?.ok === true && decoded.value.known ? [decoded.value.resource as ListenerSet] : []
  })
}
