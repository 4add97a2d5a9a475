import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Secret, SecretSource } from '../config/compiled.js'
import type { RouteTable } from '../route/table.js'
import type { EndpointSet } from '../upstream/endpoint.js'
import type { ConfigStoreOptions } from './config-store.js'
import type { NamedValues } from './named-values.js'
import { createValueSet, type ValueSet } from './value-set.js'

/** What others refer to by name. */
export interface StoreValues {
  readonly routes: NamedValues<RouteTable>
  readonly endpoints: NamedValues<EndpointSet>
  readonly sds: NamedValues<Secret>
}

/** Route tables, endpoints and SDS secrets, by type URL. */
export function createValueSets(
  { types, compile, clock, logger }: ConfigStoreOptions,
  { routes, endpoints, sds }: StoreValues,
  secrets: SecretSource,
): ReadonlyMap<string, ValueSet<object>> {
  const route = createValueSet<RouteConfiguration, RouteTable>({
    ...{ typeUrl: types.route.typeUrl, kind: types.route.shortName, values: routes, clock, logger },
    compile: (message) => compile.route(message, secrets),
  })
  const endpoint = createValueSet<ClusterLoadAssignment, EndpointSet>({
    ...{ typeUrl: types.endpoints.typeUrl, kind: types.endpoints.shortName, values: endpoints, clock, logger },
    compile: compile.endpoints,
  })
  // TLS contexts hold on to a secret's Watch for as long as they live: it is never replaced.
  const values: NamedValues<Secret> = { ...sds, forget: () => {} }
  const secret = createValueSet<SecretMessage, Secret>({
    typeUrl: types.secret.typeUrl,
    kind: types.secret.shortName,
    values,
    clock,
    logger,
    compile: compile.secret,
  })
  return new Map<string, ValueSet<object>>([
    [types.route.typeUrl, route as ValueSet<object>],
    [types.endpoints.typeUrl, endpoint as ValueSet<object>],
    [types.secret.typeUrl, secret as ValueSet<object>],
  ])
}
