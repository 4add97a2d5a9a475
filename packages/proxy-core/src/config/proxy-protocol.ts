import { fromBase64 } from '@heddle/xds-types'
import type { ProxyProtocolConfig, ProxyProtocolPassThroughTLVs, TlvEntry } from '@heddle/xds-types/envoy/config/core/v3'
import type { ProxyProtocol, ProxyProtocol_Rule } from '@heddle/xds-types/envoy/extensions/filters/listener/proxy_protocol/v3'
import type { ProxyProtocolVersion, Tlv } from '../net/proxy-protocol/header.js'
import type { Fields } from './fields.js'

/** The listener filter proxy_protocol, compiled. */
export interface ProxyProtocolFilter {
  readonly versions: readonly ProxyProtocolVersion[]
  readonly mayBeAbsent: boolean
  readonly statPrefix: string
  /** Dynamic metadata that a TLV becomes. */
  readonly rules: readonly TlvRule[]
  /** TLVs that an upstream may be told. */
  passesOn(type: number): boolean
}

export interface TlvRule {
  readonly type: number
  readonly namespace: string
  readonly key: string
  readonly base64: boolean
}

/** The header that a cluster's endpoints are sent first. */
export interface UpstreamProxyProtocol {
  readonly version: ProxyProtocolVersion
  readonly added: readonly Tlv[]
  passesOn(type: number): boolean
}

const NAMESPACE = 'envoy.filters.listener.proxy_protocol'
const VERSIONS = ['V1', 'V2'] as const

export function compileProxyProtocolFilter(fields: Fields<ProxyProtocol>): ProxyProtocolFilter {
  const disallowed = fields.strings('disallowed_versions')
  const filter: ProxyProtocolFilter = {
    versions: VERSIONS.filter((version) => !disallowed.includes(version)),
    mayBeAbsent: fields.boolean('allow_requests_without_proxy_protocol'),
    statPrefix: fields.string('stat_prefix'),
    rules: fields.messages('rules').map(compileRule),
    passesOn: compilePassThrough(fields.message('pass_through_tlvs')),
  }
  fields.choice('tlv_location', ['DYNAMIC_METADATA'], 'DYNAMIC_METADATA')
  fields.done()
  return filter
}

function compileRule(fields: Fields<ProxyProtocol_Rule>): TlvRule {
  const present = fields.message('on_tlv_present')
  const rule: TlvRule = {
    type: fields.number('tlv_type'),
    namespace: present?.string('metadata_namespace', NAMESPACE) || NAMESPACE,
    key: present?.string('key') ?? '',
    base64: present?.choice('value_string_encoding', ['UNSPECIFIED', 'SANITIZED_UTF8', 'BASE64'], 'UNSPECIFIED') === 'BASE64',
  }
  present?.done()
  fields.done()
  if (rule.key === '') fields.problem('needs on_tlv_present with a key.')
  return rule
}

function compilePassThrough(fields: Fields<ProxyProtocolPassThroughTLVs> | undefined): (type: number) => boolean {
  if (fields === undefined) return () => false
  const all = fields.choice('match_type', ['INCLUDE_ALL', 'INCLUDE'], 'INCLUDE_ALL') === 'INCLUDE_ALL'
  const types = new Set(fields.numbers('tlv_type'))
  fields.done()
  return (type) => all || types.has(type)
}

export function compileUpstreamProxyProtocol(fields: Fields<ProxyProtocolConfig> | undefined): UpstreamProxyProtocol {
  const config: UpstreamProxyProtocol = {
    version: fields?.choice('version', VERSIONS, 'V1') ?? 'V1',
    added: (fields?.messages('added_tlvs') ?? []).map(compileTlv),
    passesOn: compilePassThrough(fields?.message('pass_through_tlvs')),
  }
  fields?.done()
  return config
}

function compileTlv(fields: Fields<TlvEntry>): Tlv {
  const value = fromBase64(fields.string('value'))
  if (value === undefined) fields.problem('must be base64.', 'value')
  const tlv: Tlv = { type: fields.number('type'), value: value ?? new Uint8Array() }
  fields.done()
  return tlv
}
