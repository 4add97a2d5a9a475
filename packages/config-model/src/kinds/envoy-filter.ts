import { validateEnvoyFilter } from '../checks/envoy-filter.js'
import { fields } from '../decode/fields.js'
import { int32, listOf, oneOf, struct, text, uint32 } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { LabelsSelector, PolicyTargetReference } from './common.js'
import { labelsSelector, targetReference, textMap } from './common.js'
import { defineKind, type Kind } from './kind.js'

/** networking.istio.io EnvoyFilter. `patch.value` is kept as written. */
export interface EnvoyFilterSpec {
  workloadSelector?: LabelsSelector
  targetRefs?: readonly PolicyTargetReference[]
  configPatches?: readonly EnvoyConfigObjectPatch[]
  /** Default 0; lower first. */
  priority?: number
}

export type EnvoyFilter = Resource<'EnvoyFilter', EnvoyFilterSpec>

export type EnvoyFilterApplyTo =
  | 'INVALID'
  | 'LISTENER'
  | 'FILTER_CHAIN'
  | 'NETWORK_FILTER'
  | 'HTTP_FILTER'
  | 'ROUTE_CONFIGURATION'
  | 'VIRTUAL_HOST'
  | 'HTTP_ROUTE'
  | 'CLUSTER'
  | 'EXTENSION_CONFIG'
  | 'BOOTSTRAP'
  | 'LISTENER_FILTER'
export type EnvoyFilterContext = 'ANY' | 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY' | 'WAYPOINT'
export type EnvoyFilterOperation =
  | 'INVALID'
  | 'MERGE'
  | 'ADD'
  | 'REMOVE'
  | 'INSERT_BEFORE'
  | 'INSERT_AFTER'
  | 'INSERT_FIRST'
  | 'REPLACE'
  | 'MERGE_AND_REPLACE_LIST'

export interface EnvoyConfigObjectPatch {
  applyTo: EnvoyFilterApplyTo
  match?: EnvoyConfigObjectMatch
  patch: EnvoyFilterPatch
}

export interface EnvoyFilterPatch {
  operation: EnvoyFilterOperation
  value?: Readonly<Record<string, unknown>>
  filterClass?: 'UNSPECIFIED' | 'AUTHN' | 'AUTHZ' | 'STATS'
}

export interface EnvoyConfigObjectMatch {
  /** Default ANY. */
  context?: EnvoyFilterContext
  proxy?: { proxyVersion?: string; metadata?: Readonly<Record<string, string>> }
  listener?: EnvoyListenerMatch
  routeConfiguration?: EnvoyRouteConfigurationMatch
  cluster?: { portNumber?: number; service?: string; subset?: string; name?: string }
  waypoint?: EnvoyWaypointMatch
}

export interface EnvoyListenerMatch {
  portNumber?: number
  portName?: string
  name?: string
  listenerFilter?: string
  filterChain?: {
    name?: string
    sni?: string
    transportProtocol?: string
    applicationProtocols?: string
    destinationPort?: number
    filter?: { name?: string; subFilter?: { name?: string } }
  }
}

export interface EnvoyRouteConfigurationMatch {
  portNumber?: number
  portName?: string
  gateway?: string
  name?: string
  vhost?: {
    name?: string
    domainName?: string
    route?: { name?: string; action?: 'ANY' | 'ROUTE' | 'REDIRECT' | 'DIRECT_RESPONSE' }
  }
}

export interface EnvoyWaypointMatch {
  portNumber?: number
  filter?: { name?: string; subFilter?: { name?: string } }
  route?: { name?: string }
}

const filterMatch = fields<{ name?: string; subFilter?: { name?: string } }>({
  name: text,
  subFilter: fields<{ name?: string }>({ name: text }),
})

const listenerMatch = fields<EnvoyListenerMatch>({
  portNumber: uint32,
  portName: text,
  name: text,
  listenerFilter: text,
  filterChain: fields<NonNullable<EnvoyListenerMatch['filterChain']>>({
    name: text,
    sni: text,
    transportProtocol: text,
    applicationProtocols: text,
    destinationPort: uint32,
    filter: filterMatch,
  }),
})

const routeMatch = fields<EnvoyRouteConfigurationMatch>({
  portNumber: uint32,
  portName: text,
  gateway: text,
  name: text,
  vhost: fields<NonNullable<EnvoyRouteConfigurationMatch['vhost']>>({
    name: text,
    domainName: text,
    route: fields<{ name?: string; action?: 'ANY' | 'ROUTE' | 'REDIRECT' | 'DIRECT_RESPONSE' }>({
      name: text,
      action: oneOf('ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE'),
    }),
  }),
})

const match = fields<EnvoyConfigObjectMatch>({
  context: oneOf('ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY', 'WAYPOINT'),
  proxy: fields<{ proxyVersion?: string; metadata?: Readonly<Record<string, string>> }>({
    proxyVersion: text,
    metadata: textMap,
  }),
  listener: listenerMatch,
  routeConfiguration: routeMatch,
  cluster: fields<{ portNumber?: number; service?: string; subset?: string; name?: string }>({
    portNumber: uint32,
    service: text,
    subset: text,
    name: text,
  }),
  waypoint: fields<EnvoyWaypointMatch>({
    portNumber: uint32,
    filter: filterMatch,
    route: fields<{ name?: string }>({ name: text }),
  }),
})

const patch = fields<EnvoyFilterPatch>(
  {
    operation: oneOf(
      'INVALID',
      'MERGE',
      'ADD',
      'REMOVE',
      'INSERT_BEFORE',
      'INSERT_AFTER',
      'INSERT_FIRST',
      'REPLACE',
      'MERGE_AND_REPLACE_LIST',
    ),
    value: struct,
    filterClass: oneOf('UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS'),
  },
  { defaults: { operation: 'INVALID' } },
)

const configPatch = fields<EnvoyConfigObjectPatch>(
  {
    applyTo: oneOf(
      'INVALID',
      'LISTENER',
      'FILTER_CHAIN',
      'NETWORK_FILTER',
      'HTTP_FILTER',
      'ROUTE_CONFIGURATION',
      'VIRTUAL_HOST',
      'HTTP_ROUTE',
      'CLUSTER',
      'EXTENSION_CONFIG',
      'BOOTSTRAP',
      'LISTENER_FILTER',
    ),
    match,
    patch,
  },
  { defaults: { applyTo: 'INVALID', patch: { operation: 'INVALID' } } },
)

export const envoyFilter: Kind<EnvoyFilter> = defineKind<EnvoyFilter>({
  name: 'EnvoyFilter',
  groups: ['networking.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<EnvoyFilterSpec>({
    workloadSelector: labelsSelector,
    targetRefs: listOf(targetReference),
    configPatches: listOf(configPatch),
    priority: int32,
  }),
  validate: validateEnvoyFilter,
})
