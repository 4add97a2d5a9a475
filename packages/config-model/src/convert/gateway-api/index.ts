import { type Collection, derive, deriveMany, index, join } from '@heddle/runtime'
import type { DestinationRule } from '../../kinds/destination-rule.js'
import type { Gateway } from '../../kinds/gateway.js'
import type { KindOf } from '../../kinds/index.js'
import type { VirtualService } from '../../kinds/virtual-service.js'
import type { Resource } from '../../resource.js'
import { conditionsIn, type ResourceStatus, statusOf, withVerdicts } from '../status.js'
import { convertBackendPolicies } from './backend-policies.js'
import { controllerInfo } from './classes.js'
import { type ConvertedGateway, convertGateways } from './gateways.js'
import { type ConversionSources, createInputs } from './inputs.js'
import type { AnyRoute } from './parents.js'
import { attachmentKey, type ConvertedRoute, convertRoutes } from './routes.js'

/** Istio's kinds and statuses, made of other objects; by `namespace/name`, statuses by key. */
export interface Converted {
  readonly gateways: Collection<Gateway>
  readonly virtualServices: Collection<VirtualService>
  readonly destinationRules: Collection<DestinationRule>
  readonly statuses: Collection<ResourceStatus>
}

const API = 'gateway.networking.k8s.io'
/** Versions that statuses are written in. */
const VERSIONS = { TCPRoute: `${API}/v1alpha2`, default: `${API}/v1` } as const

/** The Gateway API as Istio's kinds (istiod's pilot/pkg/config/kube/gateway). */
export function convertGatewayApi(sources: ConversionSources): Converted {
  const inputs = createInputs(sources)
  const parents = convertGateways(inputs)
  const routes = convertRoutes(parents, inputs)
  const policies = convertBackendPolicies(inputs)
  const { KubernetesGateway, ListenerSet, GatewayClass, BackendTLSPolicy, XBackendTrafficPolicy } = sources.sources
  const gatewaysOf = (from: Collection<ConvertedGateway>, name: string): Collection<Gateway> =>
    deriveMany(from, ({ gateways }) => gateways.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one] as const), {
      name,
    })
  const attached = attachedRoutes(routes.byKind)
  const holders = [
    holderStatuses('Gateway', KubernetesGateway, parents.gateways, attached),
    holderStatuses('ListenerSet', ListenerSet, parents.listenerSets, attached),
  ] as const
  const routeStatuses = (Object.keys(routes.byKind) as AnyRoute['kind'][]).map((kind) => {
    const apiVersion = kind === 'TCPRoute' ? VERSIONS.TCPRoute : VERSIONS.default
    return statusesOf(sources.sources[kind] as unknown as Collection<Resource>, routes.byKind[kind], { apiVersion, kind })
  })
  const policyStatuses = [
    statusesOf(BackendTLSPolicy, policies.tls, { apiVersion: VERSIONS.default, kind: 'BackendTLSPolicy' }),
    statusesOf(XBackendTrafficPolicy, policies.traffic, {
      apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
      kind: 'XBackendTrafficPolicy',
    }),
  ]
  return {
    gateways: join(
      [
        gatewaysOf(parents.gateways, 'gateway-api.istio-gateways'),
        gatewaysOf(parents.listenerSets, 'gateway-api.istio-gateways.sets'),
      ],
      {
        name: 'gateway-api.istio-gateways.all',
      },
    ),
    virtualServices: routes.virtualServices,
    destinationRules: policies.destinationRules,
    statuses: join([classStatuses(GatewayClass), ...holders, ...routeStatuses, ...policyStatuses], {
      name: 'gateway-api.statuses',
    }),
  }
}

function classStatuses(classes: Collection<KindOf<'GatewayClass'>>): Collection<ResourceStatus> {
  return deriveMany(
    classes,
    (one) => {
      if (controllerInfo(one.spec.controllerName) === undefined) return []
      const accepted = { reason: 'Accepted', message: 'Handled by Istio controller' }
      const conditions = withVerdicts(conditionsIn(one.status), { Accepted: accepted }, one.metadata.generation)
      return [keyed(statusOf(one, { apiVersion: VERSIONS.default, kind: 'GatewayClass' }, { conditions }))]
    },
    { name: 'gateway-api.statuses.GatewayClass' },
  )
}

/** Statuses of Gateways and ListenerSets, with the numbers of routes at each listener. */
function holderStatuses(
  kind: 'Gateway' | 'ListenerSet',
  holders: Collection<Resource>,
  converted: Collection<ConvertedGateway>,
  attached: Collection<number>,
): Collection<ResourceStatus> {
  return deriveMany(
    holders,
    (holder, read, key) => {
      const status = read.get(converted, key)?.status
      if (status === undefined) return []
      const listeners = status.listeners?.map((listener) => ({
        ...listener,
        attachedRoutes: read.get(attached, attachmentKey(kind, key, listener.name)) ?? 0,
      }))
      const counted = listeners === undefined ? status : { ...status, listeners }
      return [keyed(statusOf(holder, { apiVersion: VERSIONS.default, kind }, counted))]
    },
    { name: `gateway-api.statuses.${kind}` },
  )
}

function statusesOf(
  objects: Collection<Resource>,
  converted: Collection<{ readonly status: Readonly<Record<string, unknown>> }>,
  written: { apiVersion: string; kind: string },
): Collection<ResourceStatus> {
  return deriveMany(
    objects,
    (object, read, key) => {
      const status = read.get(converted, key)?.status
      return status === undefined ? [] : [keyed(statusOf(object, written, status))]
    },
    { name: `gateway-api.statuses.${written.kind}` },
  )
}

function keyed(status: ResourceStatus): readonly [string, ResourceStatus] {
  return [status.key, status]
}

/** How many routes are at a listener. */
function attachedRoutes(byKind: { readonly [K in AnyRoute['kind']]: Collection<ConvertedRoute> }): Collection<number> {
  const all = Object.entries(byKind).map(([kind, routes]) =>
    deriveMany(
      routes,
      ({ attachedTo }, _read, key) => attachedTo.map((listener, i) => [`${kind} ${key} ${i}`, listener] as const),
      { name: `gateway-api.attached.${kind}` },
    ),
  ) as [Collection<string>, ...Collection<string>[]]
  const byListener = index(join(all, { name: 'gateway-api.attached' }), (listener) => listener, {
    name: 'gateway-api.attached.by-listener',
  })
  return derive(byListener, (list) => list.length, { name: 'gateway-api.attached.count' })
}
