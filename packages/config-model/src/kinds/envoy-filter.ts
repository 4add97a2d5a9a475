import type { Resource } from '../resource.js'
import type { LabelsSelector, PolicyTargetReference } from './common.js'

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
