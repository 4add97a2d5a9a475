import type { CompiledListener, ConnectionFacts, ExplainConfig } from '@heddle/proxy-core'
import { type Json, listAt, mapAt, type Resources, textAt } from './mesh.js'

/** A call of the data; defaults as Istio's simulation has them. */
export interface Call {
  readonly address?: string
  readonly port?: number
  readonly path?: string
  readonly protocol?: 'http' | 'http2' | 'tcp'
  readonly tls?: 'plaintext' | 'tls' | 'mtls'
  readonly alpn?: string
  readonly sni?: string
  readonly hostHeader?: string
  readonly callMode?: 'outbound' | 'inbound' | 'gateway'
}

/** What a call met; empty: nothing. */
export interface Simulated {
  readonly error: string
  readonly listenerMatched: string
  readonly filterChainMatched: string
  readonly routeConfigMatched: string
  readonly virtualHostMatched: string
  readonly routeMatched: string
  readonly clusterMatched: string
}

const NOTHING: Simulated = {
  error: '',
  listenerMatched: '',
  filterChainMatched: '',
  routeConfigMatched: '',
  virtualHostMatched: '',
  routeMatched: '',
  clusterMatched: '',
}

/** Listener, filter chain and virtual host are chosen by the proxy's matchers; a route by its path only, as the data wants it. */
export function answer(call: Call, config: ExplainConfig, resources: Resources): Simulated {
  const listener = listenerOf(call, config.listeners)
  if (listener === undefined) return { ...NOTHING, error: 'no listener matched' }
  const met: Simulated = { ...NOTHING, listenerMatched: listener.name }
  const chain = listener.chainFor(factsOf(call, listener))
  if (chain === undefined) return { ...met, error: 'no filter chains matched' }
  const json = chainJson(listener, chain, resources)
  const inChain: Simulated = { ...met, filterChainMatched: chain.name }
  const plain = isPlain(call)
  if (chain.tls !== undefined && plain) return { ...inChain, error: 'invalid TLS' }
  if (chain.tls !== undefined && asksForWorkload(json) !== (call.tls === 'mtls')) return { ...inChain, error: 'invalid mTLS' }
  if (chain.terminal.kind === 'tcp_proxy') return { ...inChain, clusterMatched: chain.terminal.target({ next: () => 0 }).cluster }
  if (chain.terminal.kind === 'direct_response') return inChain
  if ((!plain && chain.tls === undefined) || !isHttp(call)) return { ...inChain, error: 'protocol error' }
  return route(call, chain.terminal.routes, { config, resources, json, met: inChain })
}

type Chain = CompiledListener['filterChains'][number]
type Routes = Extract<Chain['terminal'], { kind: 'http_connection_manager' }>['routes']

interface InChain {
  readonly config: ExplainConfig
  readonly resources: Resources
  readonly json: Json | undefined
  readonly met: Simulated
}

function route(call: Call, routes: Routes, { config, resources, json, met }: InChain): Simulated {
  const table = routes.kind === 'inline' ? routes.table : routes.kind === 'rds' ? config.routes(routes.name) : undefined
  const named: Simulated = { ...met, routeConfigMatched: routes.kind === 'rds' ? routes.name : '' }
  const host = table?.virtualHostOf(call.hostHeader ?? '')
  if (table === undefined || host === undefined) return { ...named, error: 'no virtual host matched' }
  const inHost: Simulated = { ...named, virtualHostMatched: host.name }
  if (host.requireTls === 'ALL' && isPlain(call)) return { ...inHost, error: 'tls required, sending 301' }
  const given = routes.kind === 'rds' ? resources.routes.find((one) => textAt(one, 'name') === routes.name) : inlineRoutes(json)
  const hostJson = listAt(given, 'virtual_hosts')[table.virtualHosts.indexOf(host)]
  const winner = listAt(hostJson, 'routes').find((one) => takesPath(mapAt(one, 'match'), call.path ?? '/'))
  if (winner === undefined) return { ...inHost, error: 'no route matched' }
  return { ...inHost, routeMatched: textAt(winner, 'name'), clusterMatched: textAt(mapAt(winner, 'route'), 'cluster') }
}

const isPlain = ({ tls = 'plaintext' }: Call): boolean => tls === 'plaintext'
const isHttp = ({ protocol }: Call): boolean => protocol === 'http' || protocol === 'http2'

/** Exact address and port, then any address with that port, then the listener that takes redirected connections. */
export function listenerOf(call: Call, listeners: readonly CompiledListener[]): CompiledListener | undefined {
  const named = (name: string): CompiledListener | undefined => listeners.find((one) => one.name === name)
  if (call.callMode === 'inbound') return named('virtualInbound')
  const onPort = listeners.filter(({ address }) => address.port === call.port)
  return (
    onPort.find(({ address }) => address.address === (call.address ?? '1.3.3.7')) ??
    onPort.find(({ address }) => address.address === '0.0.0.0' || address.address === '::') ??
    (call.callMode === 'gateway' ? undefined : named('virtualOutbound'))
  )
}

const MTLS_ALPN = { http: 'istio-http/1.1', http2: 'istio-h2', tcp: 'istio' }
const TLS_ALPN = { http: 'http/1.1', http2: 'h2', tcp: '' }
const PLAIN_ALPN = { http: 'http/1.1', http2: 'h2c', tcp: '' }

/** What the listener's inspectors learn: without the TLS inspector neither ALPN nor that it is TLS at all. */
export function factsOf(call: Call, listener: CompiledListener): ConnectionFacts {
  const { protocol = 'tcp', tls = 'plaintext', port = 0 } = call
  const inspects = (name: 'tls_inspector' | 'http_inspector'): boolean =>
    listener.listenerFilters.includes(name) && listener.listenerFilterEnabled(name, port)
  const seen = inspects('tls_inspector') && tls !== 'plaintext'
  const offered = call.alpn ?? (tls === 'mtls' ? MTLS_ALPN : TLS_ALPN)[protocol]
  const alpn = seen ? offered : tls === 'plaintext' && inspects('http_inspector') ? PLAIN_ALPN[protocol] : ''
  const sni = call.sni ?? (tls === 'tls' ? call.hostHeader : undefined)
  const source = { address: '10.0.0.9', port: 40_000 }
  return {
    destination: { address: call.address ?? '1.3.3.7', port },
    source,
    directSource: source,
    transportProtocol: seen ? 'tls' : 'raw_buffer',
    ...(seen && sni !== undefined ? { serverName: sni } : {}),
    applicationProtocols: alpn === '' ? [] : [alpn],
  }
}

function chainJson(listener: CompiledListener, chain: Chain, { listeners }: Resources): Json | undefined {
  const json = listeners.find((one) => textAt(one, 'name') === listener.name)
  const at = listener.filterChains.indexOf(chain)
  return at < 0 ? mapAt(json, 'default_filter_chain') : listAt(json, 'filter_chains')[at]
}

/** Whether its certificate is the workload's own: then clients must show one of the mesh. */
function asksForWorkload(chain: Json | undefined): boolean {
  const context = mapAt(chain, 'transport_socket', 'typed_config', 'common_tls_context')
  return textAt(listAt(context, 'tls_certificate_sds_secret_configs')[0], 'name') === 'default'
}

function inlineRoutes(chain: Json | undefined): Json | undefined {
  return listAt(chain, 'filters')
    .map((filter) => mapAt(filter, 'typed_config', 'route_config'))
    .find((config) => config !== undefined)
}

function takesPath(match: Json | undefined, path: string): boolean {
  const prefix = textAt(match, 'prefix')
  const separated = textAt(match, 'path_separated_prefix')
  const regex = mapAt(match, 'safe_regex')
  if (separated !== '') return path === separated || path.startsWith(`${separated}/`)
  if (regex !== undefined) return new RegExp(`^(?:${textAt(regex, 'regex')})$`).test(path)
  return prefix !== '' ? path.startsWith(prefix) : path === textAt(match, 'path')
}
