import type { Result } from '@heddle/runtime'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { asciiLower } from '../matcher/ascii.js'
import { resolveRoute } from '../route/resolve.js'
import type { RouteTable } from '../route/table.js'
import { indexVirtualHosts } from '../route/virtual-hosts.js'
import type { CompileDeps } from './compiled.js'
import { compileMessage, type Fields } from './fields.js'
import { compileHeaderLists } from './header-options.js'
import { compileMirror } from './mirror.js'
import { compilePerFilterConfig } from './per-filter-config.js'
import { createRouteClusters } from './route-clusters.js'
import { MAX_DIRECT_BODY_BYTES } from './route-reply.js'
import { compileVirtualHost } from './virtual-host.js'

/** Compiles envoy.config.route.v3.RouteConfiguration. Every field that would change behaviour and is not supported is an error at its path. */
export function compileRouteConfiguration(json: RouteConfiguration, deps: CompileDeps, path: string): Result<RouteTable> {
  return compileMessage<RouteConfiguration, RouteTable>(json, path, (fields) => compileRouteTable(fields, deps, false))
}

/** `validatesClusters`: where `validate_clusters` does not say; Envoy's default is true for routes that stand inline, false for RDS. */
export function compileRouteTable(fields: Fields<RouteConfiguration>, deps: CompileDeps, validatesClusters: boolean): RouteTable {
  const validates = fields.boolean('validate_clusters', validatesClusters)
  const clusters = createRouteClusters(validates ? deps.hasCluster : undefined)
  const mirrors = fields.messages('request_mirror_policies').map((each) => compileMirror(each, clusters, deps.runtime))
  const maxDirectBodyBytes = fields.number('max_direct_response_body_size_bytes', MAX_DIRECT_BODY_BYTES)
  const virtualHosts = fields
    .messages('virtual_hosts')
    .map((each) => compileVirtualHost(each, { deps, clusters, mirrors, maxDirectBodyBytes }))
  const index = indexVirtualHosts(virtualHosts, fields.boolean('ignore_port_in_host_matching'))
  for (const domain of index.duplicates)
    fields.problem(`two virtual hosts claim the domain ${JSON.stringify(domain)}.`, 'virtual_hosts')
  const vhds = compileVhds(fields, deps)
  const table: RouteTable = {
    ...(vhds && { vhds }),
    name: fields.string('name'),
    virtualHosts,
    ...compileHeaderLists(fields),
    mostSpecificHeaderMutationsWins: fields.boolean('most_specific_header_mutations_wins'),
    perFilterConfig: compilePerFilterConfig(fields, deps),
    internalOnlyHeaders: fields.strings('internal_only_headers').map(asciiLower),
    clusters: clusters.names,
    virtualHostOf: index.of,
    explainVirtualHosts: index.losers,
    resolve: (head, random) => resolveRoute(index.of(head.authority), head, random),
  }
  fields.done({ metadata: 'no filter here reads it' })
  return table
}

function compileVhds(fields: Fields<RouteConfiguration>, deps: CompileDeps): boolean {
  const vhds = fields.message('vhds')
  vhds?.done({ config_source: 'virtual hosts come from where the routes came from' })
  if (vhds !== undefined && deps.vhds !== true)
    fields.problem('needs a stream of Delta xDS (ads_config.api_type: DELTA_GRPC).', 'vhds')
  return vhds !== undefined
}
