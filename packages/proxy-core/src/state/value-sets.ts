import { fail, problem } from '@heddle/runtime'
import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Secret, SecretSource } from '../config/compiled.js'
import type { DecodedFilter } from '../config/discovered-filter.js'
import type { DiscoveryStats } from '../observe/discovery-stats.js'
import type { RouteTable } from '../route/table.js'
import type { EndpointSet } from '../upstream/endpoint.js'
import type { ConfigStoreOptions } from './config-store.js'
import type { NamedValues } from './named-values.js'
import { createValueSet, type ValueSet } from './value-set.js'
import type { VirtualHostSet } from './virtual-host-set.js'

/** What others refer to by name. */
export interface StoreValues {
  readonly routes: NamedValues<RouteTable>
  readonly endpoints: NamedValues<EndpointSet>
  readonly sds: NamedValues<Secret>
  readonly extensions: NamedValues<DecodedFilter>
}

/** What the parts of a store that refer to others say of a value that has come. */
export interface StoreChecks {
  readonly hosts: Pick<VirtualHostSet, 'compileTable' | 'setTable' | 'forgetTable'>
  /** Types that those who refer to a filter's config expect. */
  expected(name: string): readonly (readonly string[])[]
}

/** Route tables, endpoints, filter configs and SDS secrets, by type URL. */
export function createValueSets(
  { types, compile, stats, clock, logger }: ConfigStoreOptions,
  { routes, endpoints, sds, extensions }: StoreValues,
  secrets: SecretSource,
  { hosts, expected }: StoreChecks,
): ReadonlyMap<string, ValueSet<object>> {
  const route = createValueSet<RouteConfiguration, RouteTable>({
    ...{ typeUrl: types.route.typeUrl, kind: types.route.shortName, clock, logger },
    values: {
      ...routes,
      set: hosts.setTable,
      forget(name) {
        hosts.forgetTable(name)
        routes.forget(name)
      },
    },
    compile: hosts.compileTable,
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
  const extension = createValueSet<TypedExtensionConfig, DecodedFilter>({
    ...{ typeUrl: types.extension.typeUrl, kind: types.extension.shortName, clock, logger },
    // Filters hold on to the Watch of their config.
    values: { ...extensions, forget: () => {} },
    compile(message) {
      const compiled = compile.extension(message, secrets)
      if (!compiled.ok) return compiled
      const wrong = expected(message.name ?? '').find((typeNames) => !typeNames.includes(compiled.value.typeName))
      if (wrong === undefined) return compiled
      const told = `has the type ${compiled.value.typeName}, and a listener takes ${wrong.join(', ')}.`
      return fail(problem('ecds.type', 'typed_config', told))
    },
  })
  return new Map<string, ValueSet<object>>([
    [types.extension.typeUrl, counted(extension as ValueSet<object>, extensions, stats)],
    [types.route.typeUrl, route as ValueSet<object>],
    [types.endpoints.typeUrl, endpoint as ValueSet<object>],
    [types.secret.typeUrl, secret as ValueSet<object>],
  ])
}

/** What the server no longer has is gone: filters go on with their default, or answer that they have no config. */
function counted(set: ValueSet<object>, values: NamedValues<DecodedFilter>, stats: DiscoveryStats): ValueSet<object> {
  const reload = (name: string): void => stats.filter(name).configReload.inc()
  return {
    ...set,
    apply(name, version, message) {
      const rejection = set.apply(name, version, message)
      if (rejection === undefined) reload(name)
      else stats.filter(name).configFail.inc()
      return rejection
    },
    markAbsent(name) {
      if (values.get(name) !== undefined) reload(name)
      set.forget(name)
      values.clear(name)
    },
  }
}
