import { writtenOnce } from '@heddle/xds-types'
import type { FilterChain, ListenerFilter } from '@heddle/xds-types/envoy/config/listener/v3'
import { typed } from '../message.js'

export const ORIGINAL_DST: ListenerFilter = writtenOnce({
  name: 'envoy.filters.listener.original_dst',
  typed_config: typed('envoy.extensions.filters.listener.original_dst.v3.OriginalDst'),
})
export const ORIGINAL_SRC: ListenerFilter = writtenOnce({
  name: 'envoy.filters.listener.original_src',
  typed_config: typed('envoy.extensions.filters.listener.original_src.v3.OriginalSrc', { mark: 1337 }),
})
export const TLS_INSPECTOR: ListenerFilter = writtenOnce({
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: typed('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', { initial_read_buffer_size: 512 }),
})
export const HTTP_INSPECTOR: ListenerFilter = writtenOnce({
  name: 'envoy.filters.listener.http_inspector',
  typed_config: typed('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector'),
})
export const PROXY_PROTOCOL: ListenerFilter = writtenOnce({
  name: 'envoy.filters.listener.proxy_protocol',
  typed_config: typed('envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol'),
})

/** Inspectors of an inbound listener, switched off for ports where no chain needs them: a server that speaks first must not wait for the client. */
export function inspectors(chains: readonly FilterChain[]): ListenerFilter[] {
  const ports = new Map<number, { tls: boolean; http: boolean }>()
  for (const { filter_chain_match: match } of chains) {
    const port = match?.destination_port ?? 0
    const needs = ports.get(port) ?? { tls: false, http: false }
    const protocols = match?.application_protocols ?? []
    ports.set(port, {
      tls: needs.tls || match?.transport_protocol === 'tls',
      http: needs.http || protocols.includes('http/1.1') || protocols.includes('h2c'),
    })
  }
  const all = [...ports]
  const filters: ListenerFilter[] = []
  if (all.some(([, n]) => n.tls)) filters.push(tlsInspector(all))
  if (all.some(([, n]) => n.http))
    filters.push(
      withoutPorts(
        HTTP_INSPECTOR,
        all.filter(([, n]) => !n.http).map(([p]) => p),
      ),
    )
  return filters
}

type Needs = readonly (readonly [number, { readonly tls: boolean }])[]

/** On by default where the catch-all chains need it, else only for the ports that do. Port 0 stands for those chains. */
function tlsInspector(all: Needs): ListenerFilter {
  const byDefault = all.find(([port]) => port === 0)?.[1].tls === true
  if (byDefault)
    return withoutPorts(
      TLS_INSPECTOR,
      all.filter(([port, n]) => port !== 0 && !n.tls).map(([p]) => p),
    )
  const wanted = all.filter(([port, n]) => port !== 0 && n.tls).map(([p]) => p)
  return wanted.length === 0 ? TLS_INSPECTOR : { ...TLS_INSPECTOR, filter_disabled: { not_match: anyPort(wanted) } }
}

/** An inspector that leaves connections to these ports alone. */
export function withoutPorts(filter: ListenerFilter, ports: readonly number[]): ListenerFilter {
  return ports.length === 0 ? filter : { ...filter, filter_disabled: anyPort(ports) }
}

type Predicate = NonNullable<ListenerFilter['filter_disabled']>

function anyPort(ports: readonly number[]): Predicate {
  const rules: Predicate[] = [...ports]
    .sort((a, b) => a - b)
    .map((port) => ({ destination_port_range: { ...(port === 0 ? {} : { start: port }), end: port + 1 } }))
  const [only] = rules
  return rules.length === 1 && only !== undefined ? only : { or_match: { rules } }
}
