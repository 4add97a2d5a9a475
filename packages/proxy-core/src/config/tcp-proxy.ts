import type { Random } from '@heddle/runtime'
import type { TcpProxy as TcpProxyProto } from '@heddle/xds-types/envoy/extensions/filters/network/tcp_proxy/v3'
import { isIpAddress } from '../net/address.js'
import { compileAccessLogs } from './access-logs.js'
import type { CompileDeps, TcpProxy, TcpTarget } from './compiled.js'
import type { Fields } from './fields.js'
import { DEFAULT_IDLE_MS } from './http-options.js'
import { compileMetadata } from './metadata.js'
import { compileTunneling } from './tunneling.js'

export function compileTcpProxy(fields: Fields<TcpProxyProto>, deps: CompileDeps): TcpProxy {
  const weights = compileWeights(fields)
  const hash = compileHash(fields, deps)
  const tunnel = compileTunneling(fields.message('tunneling_config'))
  const proxy: TcpProxy = {
    kind: 'tcp_proxy',
    path: fields.path.slice(fields.path.lastIndexOf('filters[')),
    statPrefix: fields.string('stat_prefix'),
    target: chooser(weights),
    clusters: weights.map(({ target }) => target.cluster),
    idleTimeoutMs: fields.durationMs('idle_timeout', DEFAULT_IDLE_MS),
    maxConnectionDurationMs: fields.durationMs('max_downstream_connection_duration', 0),
    accessLogs: compileAccessLogs(fields, 'access_log', deps),
    ...compileLogOptions(fields),
    ...(hash && { hash }),
    ...(tunnel && { tunnel }),
    maxConnectAttempts: Math.max(1, fields.number('max_connect_attempts', 1)),
  }
  fields.done()
  if (weights.length === 0) fields.problem('needs one of cluster, weighted_clusters.')
  return proxy
}

/** The older spellings give way to the newer ones, as in Envoy. */
function compileLogOptions(fields: Fields<TcpProxyProto>): Pick<TcpProxy, 'logOptions'> {
  const interval = fields.durationMs('access_log_flush_interval', 0)
  const connected = fields.boolean('flush_access_log_on_connected')
  const options = fields.message('access_log_options')
  const logOptions = {
    flushIntervalMs: options?.durationMs('access_log_flush_interval', 0) ?? interval,
    onConnected: options?.boolean('flush_access_log_on_connected') ?? connected,
    onStart: options?.boolean('flush_access_log_on_start') ?? false,
  }
  options?.done()
  const { flushIntervalMs, onConnected, onStart } = logOptions
  return flushIntervalMs > 0 || onConnected || onStart ? { logOptions } : {}
}

/** Only the client's address can be hashed: what a filter keeps for others is not known when the connection begins. */
function compileHash(fields: Fields<TcpProxyProto>, { hash64 }: CompileDeps): TcpProxy['hash'] {
  const [policy] = fields.messages('hash_policy')
  if (policy === undefined) return undefined
  policy.message('source_ip')?.done()
  policy.done()
  return ({ remote }) => (isIpAddress(remote.address) ? hash64(remote.address) : undefined)
}

interface Weight {
  readonly weight: number
  readonly target: TcpTarget
}

function compileWeights(fields: Fields<TcpProxyProto>): readonly Weight[] {
  const inherited = compileMetadata(fields.message('metadata_match'))['envoy.lb']
  const targetOf = (cluster: string, own: TcpTarget['metadataMatch']): TcpTarget =>
    inherited === undefined && own === undefined ? { cluster } : { cluster, metadataMatch: { ...inherited, ...own } }
  if (fields.has('cluster')) return [{ weight: 1, target: targetOf(fields.string('cluster'), undefined) }]
  const weighted = fields.message('weighted_clusters')
  const weights = (weighted?.messages('clusters') ?? []).map((each) => {
    const own = compileMetadata(each.message('metadata_match'))['envoy.lb']
    const weight = { weight: each.number('weight'), target: targetOf(each.string('name'), own) }
    each.done()
    if (weight.weight < 1) each.problem('must be 1 or more.', 'weight')
    return weight
  })
  weighted?.done()
  return weights
}

const NOWHERE: TcpTarget = { cluster: '' }

function chooser(weights: readonly Weight[]): (random: Random) => TcpTarget {
  const total = weights.reduce((sum, { weight }) => sum + weight, 0)
  const last = weights.at(-1)?.target ?? NOWHERE
  if (weights.length <= 1) return () => last
  return (random) => {
    let at = Math.floor(random.next() * total)
    for (const { target, weight } of weights) {
      if (at < weight) return target
      at -= weight
    }
    return last
  }
}
