import { TypedExtensionConfig } from '../gen/envoy/config/core/v3.js'
import { FilterChain, Listener } from '../gen/envoy/config/listener/v3.js'
import { RouteConfiguration, ScopedRouteConfiguration } from '../gen/envoy/config/route/v3.js'
import { HttpConnectionManager } from '../gen/envoy/extensions/filters/network/http_connection_manager/v3.js'
import { keepBytesOf } from '../kept-bytes.js'
import type { ResourceType } from '../resource-type.js'
import type { TypeRegistry } from '../types.js'
import { createResourceType } from './create.js'
import { addExtension, addSecrets, open, type References } from './references.js'

/** LDS. Refers to route configurations (RDS), scoped routes, secrets and extension configs. */
export function createListenerType(registry: TypeRegistry): ResourceType<Listener> {
  keepBytesOf(FilterChain)
  return createResourceType<Listener>(Listener, registry, {
    shortName: 'Listener',
    fullStateInSotw: true,
    nameOf: (listener) => listener.name,
    references(listener, refs) {
      addManager(open(listener.api_listener?.api_listener, HttpConnectionManager, registry), refs)
      for (const filter of listener.listener_filters ?? [])
        addExtension(filter.name, filter.config_discovery, TypedExtensionConfig, refs)
      for (const chain of listener.filter_chains ?? []) addChain(chain, refs, registry)
      if (listener.default_filter_chain !== undefined) addChain(listener.default_filter_chain, refs, registry)
    },
  })
}

function addChain(chain: FilterChain, refs: References, registry: TypeRegistry): void {
  for (const filter of chain.filters ?? []) {
    addExtension(filter.name, filter.config_discovery, TypedExtensionConfig, refs)
    addManager(open(filter.typed_config, HttpConnectionManager, registry), refs)
  }
  addSecrets(chain.transport_socket, refs, registry)
}

function addManager(manager: HttpConnectionManager | undefined, refs: References): void {
  if (manager === undefined) return
  refs.add(RouteConfiguration.typeUrl, manager.rds?.route_config_name, manager.rds?.config_source)
  if (manager.scoped_routes?.scoped_rds !== undefined)
    refs.add(ScopedRouteConfiguration.typeUrl, manager.scoped_routes.scoped_rds.srds_resources_locator ?? '*')
  for (const filter of manager.http_filters ?? []) addExtension(filter.name, filter.config_discovery, TypedExtensionConfig, refs)
}
