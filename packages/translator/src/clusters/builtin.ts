import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Build } from '../build.js'
import { familiesOf, inFamily, isDualStack } from '../families.js'
import { duration } from '../message.js'
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, PASSTHROUGH_CLUSTER, statName } from '../names.js'
import { exchangeFilters, exchangesMetadata } from '../peer-exchange.js'
import { applyConnectionPool } from './connection-pool.js'
import { draft, finish } from './draft.js'

type BindConfig = NonNullable<Cluster['upstream_bind_config']>

/** Inbound traffic leaves towards the application from this address, so that redirection leaves it alone. */
export function inboundSource(build: Build): BindConfig {
  return sourceOf(build, isDualStack(build))
}

function sourceOf(build: Build, both: boolean): BindConfig {
  const source_address = { address: inFamily(build, '127.0.0.6'), port_value: 0 }
  return both ? { source_address, extra_source_addresses: [{ address: { address: '::6', port_value: 0 } }] } : { source_address }
}

const PASSTHROUGH_IDLE_TIMEOUT_MS = 300_000

/** Takes nothing: connections to it are closed. */
export function blackHoleCluster(build: Build): Cluster {
  return finish(draft(BLACK_HOLE_CLUSTER, 'STATIC', build.mesh.connectTimeout))
}

/** Goes on to wherever the client wanted to go. */
export function passthroughCluster(build: Build): Cluster {
  const cluster = passthrough(build, PASSTHROUGH_CLUSTER)
  return exchangesMetadata(build) ? { ...cluster, filters: exchangeFilters(build) } : cluster
}

/** Unknown destinations may be of either family. */
export function inboundPassthroughCluster(build: Build): Cluster {
  return {
    ...passthrough(build, INBOUND_PASSTHROUGH_CLUSTER),
    upstream_bind_config: sourceOf(build, familiesOf(build) === 'both'),
  }
}

function passthrough(build: Build, name: string): Cluster {
  const made = draft(name, 'ORIGINAL_DST', build.mesh.connectTimeout)
  made.cluster.alt_stat_name = statName(PASSTHROUGH_CLUSTER)
  made.cluster.lb_policy = 'CLUSTER_PROVIDED'
  applyConnectionPool(made, build.mesh.defaultTrafficPolicy?.connectionPool, build)
  made.http = {
    protocol: 'downstream',
    ...(build.proxyConfig.proxyHeaders?.preserveHttp1HeaderCase === true ? { preserveCase: true } : {}),
    common: { idle_timeout: duration(PASSTHROUGH_IDLE_TIMEOUT_MS) },
  }
  return finish(made)
}
