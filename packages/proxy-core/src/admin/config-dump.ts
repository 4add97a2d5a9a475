import { ConfigDump } from '@heddle/xds-types/envoy/admin/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpConnectionManager } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { knownTypes, resourceTypes } from '@heddle/xds-types/known'
import { compileRegex } from '../matcher/regex.js'
import type { ResourceRecord } from '../state/warmed-set.js'
import { loadAssignmentOf } from './endpoints-dump.js'
import { maskMessage } from './field-mask.js'
import { type AdminViews, type Answer, json, type Page } from './page.js'
import { secretsBeside } from './secrets-dump.js'

type Json = Record<string, unknown>

export const configDump: Page = {
  path: '/config_dump',
  help: 'dump current Envoy configs',
  parameters: {
    resource: 'only this list of it',
    mask: 'only these fields, of each resource where there is one: a FieldMask',
    name_regex: 'only resources whose whole name matches this RE2',
    include_eds: 'endpoints, too',
  },
  answer(query, views) {
    const sections = dumpSections(views, query.has('include_eds') || query.get('resource')?.includes('endpoint') === true)
    const resource = query.get('resource')
    const pattern = query.get('name_regex')
    const regex = pattern === null ? undefined : compileRegex(pattern, 'name_regex')
    if (regex?.ok === false)
      return plain(`Error while parsing name_regex from ${pattern}: ${regex.diagnostics[0]?.message ?? ''}`, 400)
    const named = (item: Json): boolean => regex === undefined || regex.value.matchesAll(nameOf(item))
    const mask = query.get('mask')
    if (resource !== null) return ofResource(sections, resource, named, mask)
    const kept = regex === undefined ? sections : sections.map((section) => onlyNamed(section, named))
    const masked =
      mask === null ? kept : kept.map((section) => maskMessage(section, mask)).filter((section) => section !== undefined)
    if (masked.length === 0) return plain(`FieldMask ${mask} could not be successfully applied to any configs.`, 400)
    return json(printDump(masked))
  },
}

/** The whole dump as canonical JSON, secrets left out. */
export function dumpConfig(views: AdminViews): unknown {
  return printDump(dumpSections(views, true))
}

const plain = (body: string, status: number): Answer => ({ status, contentType: 'text/plain', body })

function printDump(configs: readonly Json[]): unknown {
  if (configs.length === 0) return {}
  return ConfigDump.toJson({ configs }, { registry: knownTypes, redact: true })
}

function ofResource(sections: readonly Json[], resource: string, named: (item: Json) => boolean, mask: string | null): Answer {
  const list = sections
    .map((section) => ({ type: section['@type'], items: section[resource] }))
    .find(({ items }) => Array.isArray(items))
  if (list === undefined) {
    if (sections.every((section) => section[resource] === undefined)) return plain(`${resource} not found in config dump`, 404)
    return plain(`${resource} is not a repeated field. Use ?mask=${resource} to get only this field`, 400)
  }
  const type = `${String(list.type)}.${ITEM_TYPES[resource] ?? ''}`
  const items = (list.items as Json[]).filter(named).map((item): Json => ({ '@type': type, ...item }))
  const configs = mask === null ? items : items.map((item) => maskMessage(item, mask)).filter((item) => item !== undefined)
  if (configs.length < items.length)
    return plain(`FieldMask paths: ${JSON.stringify(mask)}\n could not be successfully used.`, 400)
  return json(printDump(configs))
}

function onlyNamed(section: Json, named: (item: Json) => boolean): Json {
  return Object.fromEntries(
    Object.entries(section).map(([key, value]) => [key, Array.isArray(value) ? (value as Json[]).filter(named) : value]),
  )
}

/** The resource's own name, wherever this kind of entry keeps it. */
function nameOf(item: Json): string {
  const inside = (item['cluster'] ?? item['listener'] ?? item['route_config'] ?? item['endpoint_config'] ?? {}) as Json
  return String(item['name'] ?? inside['name'] ?? inside['cluster_name'] ?? '')
}

const ITEM_TYPES: Readonly<Record<string, string>> = {
  static_listeners: 'StaticListener',
  dynamic_listeners: 'DynamicListener',
  static_clusters: 'StaticCluster',
  dynamic_active_clusters: 'DynamicCluster',
  dynamic_warming_clusters: 'DynamicCluster',
  static_route_configs: 'StaticRouteConfig',
  dynamic_route_configs: 'DynamicRouteConfig',
  inline_scoped_route_configs: 'InlineScopedRouteConfigs',
  dynamic_scoped_route_configs: 'DynamicScopedRouteConfigs',
  ecds_filters: 'EcdsFilterConfig',
  dynamic_active_secrets: 'DynamicSecret',
  static_secrets: 'StaticSecret',
  dynamic_endpoint_configs: 'DynamicEndpointConfig',
  static_endpoint_configs: 'StaticEndpointConfig',
}

const DUMP = 'type.googleapis.com/envoy.admin.v3.'

/** Bootstrap, clusters, filter configs where they are discovered, endpoints when asked for, listeners, scoped routes, routes, secrets: Envoy's order. */
function dumpSections(views: AdminViews, withEndpoints: boolean): Json[] {
  const records = views.records()
  const of = (shortName: string): readonly ResourceRecord[] => {
    const type = resourceTypes.find((candidate) => candidate.shortName === shortName)
    return type === undefined ? [] : (records.get(type.typeUrl) ?? [])
  }
  const secrets = secretsBeside(views, new Set(of('Secret').map(({ name }) => name)))
  return [
    { '@type': `${DUMP}BootstrapConfigDump`, bootstrap: views.bootstrap, last_updated: moment(views.startedAt) },
    clustersDump(of('Cluster')),
    ...(of('Listener').some(discoversFilters)
      ? [
          {
            '@type': `${DUMP}EcdsConfigDump`,
            ecds_filters: of('TypedExtensionConfig').map((one) => entry(one, 'ecds_filter')),
          },
        ]
      : []),
    ...(withEndpoints
      ? [
          {
            '@type': `${DUMP}EndpointsConfigDump`,
            static_endpoint_configs: views.clusters
              .filter(({ cluster }) => cluster.discovery.kind !== 'EDS')
              .map((cluster) => ({ endpoint_config: loadAssignmentOf(cluster) })),
            dynamic_endpoint_configs: of('ClusterLoadAssignment').map((one) => entry(one, 'endpoint_config')),
          },
        ]
      : []),
    listenersDump(of('Listener')),
    scopesDump(
      of('ScopedRouteConfiguration').filter((scope) => scope.state === 'active'),
      of('Listener').filter(hasMessage),
    ),
    {
      '@type': `${DUMP}RoutesConfigDump`,
      static_route_configs: of('Listener').filter(hasMessage).flatMap(inlineRoutes),
      dynamic_route_configs: of('RouteConfiguration').map((one) => entry(one, 'route_config')),
    },
    {
      '@type': `${DUMP}SecretsConfigDump`,
      static_secrets: secrets.fixed,
      dynamic_active_secrets: [...of('Secret').map((one) => ({ name: one.name, ...entry(one, 'secret') })), ...secrets.active],
    },
  ]
}

function clustersDump(records: readonly ResourceRecord[]): Json {
  const of = (state: ResourceRecord['state']): Json[] =>
    records.filter((one) => one.state === state).map((one) => entry(one, 'cluster'))
  return {
    '@type': `${DUMP}ClustersConfigDump`,
    version_info: latestVersion(records),
    static_clusters: of('static'),
    dynamic_active_clusters: of('active'),
    dynamic_warming_clusters: of('warming'),
  }
}

function listenersDump(records: readonly ResourceRecord[]): Json {
  const byName = new Map<string, Json>()
  for (const record of records) {
    if (record.state === 'static') continue
    const state = record.state === 'active' ? 'active_state' : 'warming_state'
    const { error_state: error, ...rest } = entry(record, 'listener')
    byName.set(record.name, {
      ...byName.get(record.name),
      name: record.name,
      ...(hasMessage(record) && { [state]: rest }),
      ...(error !== undefined && { error_state: error }),
    })
  }
  return {
    '@type': `${DUMP}ListenersConfigDump`,
    version_info: latestVersion(records),
    static_listeners: records.filter((one) => one.state === 'static').map((one) => entry(one, 'listener')),
    dynamic_listeners: [...byName.values()],
  }
}

const hasMessage = (record: ResourceRecord): boolean => Object.keys(record.message).length > 0

function entry(record: ResourceRecord, field: string): Json {
  const { version, updatedAt, error } = record
  return {
    ...(version !== '' && { version_info: version }),
    ...(hasMessage(record) && { [field]: withType(record) }),
    last_updated: moment(updatedAt),
    ...(error !== undefined && {
      error_state: { details: error.message, version_info: error.version, last_update_attempt: moment(error.at) },
    }),
  }
}

/** In an Any a message names its type. */
function withType(record: ResourceRecord): object {
  return { '@type': record.typeUrl, ...record.message }
}

function latestVersion(records: readonly ResourceRecord[]): string {
  let latest: ResourceRecord | undefined
  for (const record of records) if (latest === undefined || record.updatedAt > latest.updatedAt) latest = record
  return latest?.version ?? ''
}

const moment = (epochMs: number): string => new Date(epochMs).toISOString()

/** Scopes by the name of the scoped_routes that use them: all managers see those of SRDS. */
function scopesDump(scopes: readonly ResourceRecord[], listeners: readonly ResourceRecord[]): Json {
  const [inline, dynamic] = [new Map<string, Json>(), new Map<string, Json>()]
  for (const { message, updatedAt } of listeners)
    for (const { scoped_routes: routes } of managersOf(message as Listener)) {
      const name = routes?.name ?? ''
      const list = routes?.scoped_route_configurations_list?.scoped_route_configurations
      if (list !== undefined)
        inline.set(name, { name, scoped_route_configs: list.map(typedScope), last_updated: moment(updatedAt) })
      else if (routes?.scoped_rds !== undefined && scopes.length > 0) {
        const version_info = latestVersion(scopes)
        const configs = scopes.map(withType)
        const last_updated = moment(Math.max(...scopes.map((scope) => scope.updatedAt)))
        dynamic.set(name, { name, version_info, scoped_route_configs: configs, last_updated })
      }
    }
  return {
    '@type': `${DUMP}ScopedRoutesConfigDump`,
    inline_scoped_route_configs: [...inline.values()],
    dynamic_scoped_route_configs: [...dynamic.values()],
  }
}

function discoversFilters({ message }: ResourceRecord): boolean {
  return managersOf(message as Listener).some(({ http_filters: filters = [] }) =>
    filters.some(({ config_discovery: discovery }) => discovery !== undefined),
  )
}

const typedScope = (message: object): object => ({
  '@type': 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
  ...message,
})

function managersOf({ filter_chains: chains = [], default_filter_chain: last }: Listener): readonly HttpConnectionManager[] {
  return [...chains, ...(last === undefined ? [] : [last])]
    .flatMap(({ filters = [] }) => filters)
    .map(({ typed_config: config }) => (config ?? {}) as HttpConnectionManager)
}

/** The route configurations that stand in a listener's HTTP managers. */
function inlineRoutes({ message, updatedAt }: ResourceRecord): Json[] {
  return managersOf(message as Listener).flatMap(({ route_config: routes }) => {
    if (routes === undefined) return []
    const type = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration'
    return [{ route_config: { '@type': type, ...routes }, last_updated: moment(updatedAt) }]
  })
}
