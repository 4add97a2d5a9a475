import type { ListenerFilter, ListenerFilterChainMatchPredicate } from '@heddle/xds-types/envoy/config/listener/v3'
import type { OriginalSrc } from '@heddle/xds-types/envoy/extensions/filters/listener/original_src/v3'
import type { TlsInspector } from '@heddle/xds-types/envoy/extensions/filters/listener/tls_inspector/v3'
import type { WantedFingerprints } from '../net/tls-fingerprint.js'
import type { CompiledListener } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileProxyProtocolFilter, type ProxyProtocolFilter } from './proxy-protocol.js'

type ListenerFilterName = CompiledListener['listenerFilters'][number]

const FILTERS = 'envoy.extensions.filters.listener'
const NAMES: Readonly<Record<string, ListenerFilterName>> = {
  [`${FILTERS}.tls_inspector.v3.TlsInspector`]: 'tls_inspector',
  [`${FILTERS}.http_inspector.v3.HttpInspector`]: 'http_inspector',
  [`${FILTERS}.original_dst.v3.OriginalDst`]: 'original_dst',
  [`${FILTERS}.proxy_protocol.v3.ProxyProtocol`]: 'proxy_protocol',
  [`${FILTERS}.original_src.v3.OriginalSrc`]: 'original_src',
}

const INSPECTOR_FIELDS = {
  initial_read_buffer_size: 'the inspector reads as much as it needs',
  max_client_hello_size: 'the inspector has a limit of its own, 64 KiB',
}

export interface CompiledListenerFilter {
  readonly name: ListenerFilterName
  readonly proxyProtocol?: ProxyProtocolFilter
  /** Of tls_inspector: what it makes of a ClientHello. */
  readonly fingerprints?: WantedFingerprints
  /** Of original_src. */
  readonly mark?: number
  enabled(destinationPort: number): boolean
}

export function compileListenerFilter(fields: Fields<ListenerFilter>): CompiledListenerFilter | undefined {
  const config = fields.any('typed_config')
  const type = config?.typeName ?? fields.string('name')
  const name = Object.hasOwn(NAMES, type) ? NAMES[type] : undefined
  const disabled = fields.message('filter_disabled')
  const off = disabled === undefined ? () => false : compilePredicate(disabled)
  if (name === undefined && !fields.has('config_discovery'))
    fields.problem(`the listener filter ${type} is not supported.`, 'typed_config')
  const own = config === undefined || name === undefined ? undefined : fieldsOf<object>(config, fields as Fields<never>)
  fields.done({ name: 'the type decides' })
  const filter = name && { name, enabled: (port: number) => !off(port) }
  if (filter?.name === 'original_src') return { ...filter, mark: compileOriginalSrc(own) }
  if (filter?.name === 'tls_inspector') return { ...filter, fingerprints: compileInspector(own) }
  if (own === undefined || filter?.name !== 'proxy_protocol') {
    own?.done(INSPECTOR_FIELDS)
    return filter
  }
  return { ...filter, proxyProtocol: compileProxyProtocolFilter(own) }
}

function compileInspector(fields: Fields<TlsInspector> | undefined): WantedFingerprints {
  const wanted = {
    ja3: fields?.boolean('enable_ja3_fingerprinting') ?? false,
    ja4: fields?.boolean('enable_ja4_fingerprinting') ?? false,
  }
  fields?.done(INSPECTOR_FIELDS)
  return wanted
}

function compileOriginalSrc(fields: Fields<OriginalSrc> | undefined): number {
  if (fields?.boolean('bind_port') === true) fields.problem('the source port cannot be kept.', 'bind_port')
  const mark = fields?.number('mark') ?? 0
  fields?.done()
  return mark
}

type PortTest = (port: number) => boolean

function compilePredicate(fields: Fields<ListenerFilterChainMatchPredicate>): PortTest {
  const test = compileKind(fields)
  fields.done()
  if (test === undefined) fields.problem('needs one of or_match, and_match, not_match, any_match, destination_port_range.')
  return test ?? (() => false)
}

function compileKind(fields: Fields<ListenerFilterChainMatchPredicate>): PortTest | undefined {
  for (const [name, combine] of [
    ['or_match', (tests: readonly PortTest[], port: number) => tests.some((test) => test(port))],
    ['and_match', (tests: readonly PortTest[], port: number) => tests.every((test) => test(port))],
  ] as const) {
    const set = fields.message(name)
    if (set === undefined) continue
    const tests = set.messages('rules').map(compilePredicate)
    set.done()
    return (port) => combine(tests, port)
  }
  const inner = fields.message('not_match')
  if (inner !== undefined) {
    const test = compilePredicate(inner)
    return (port) => !test(port)
  }
  if (fields.has('any_match')) {
    const any = fields.boolean('any_match')
    return () => any
  }
  const range = fields.message('destination_port_range')
  if (range === undefined) return undefined
  const [start, end] = [range.number('start'), range.number('end')]
  range.done()
  return (port) => port >= start && port < end
}
