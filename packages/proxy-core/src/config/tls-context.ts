import type {
  CertificateValidationContext,
  CommonTlsContext,
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { PeerRules } from '../net/peer-rules.js'
import type { ClientTlsContext, ServerTlsContext } from '../net/tls.js'
import { PEER_EXCHANGE } from '../observe/peer/greeting.js'
import type { CompileDeps, Secret } from './compiled.js'
import type { Fields } from './fields.js'
import { compileValidationContext } from './peer-rules.js'
import { compileTlsTerms } from './tls-parameters.js'
import { compileMaterial, secretName, type ValidationSource } from './tls-secrets.js'

/** BoringSSL's. */
const SESSION_TIMEOUT_MS = 7_200_000

/** RFC 7301 §3.1. */
const LONGEST_PROTOCOL = 255
const CERTIFICATES = ['tls_certificates', 'tls_certificate_sds_secret_configs'] as const

/** `exchanges`: peers say who they are before anything else; only then is it offered, since a peer would wait for it. */
export function compileServerTls(fields: Fields<DownstreamTlsContext>, deps: CompileDeps, exchanges: boolean): ServerTlsContext {
  const common_tls_context = fields.message('common_tls_context')
  const { exchangingAlpn, ...common } = compileCommon(common_tls_context, deps, 'TLSv1.3')
  if (!CERTIFICATES.some((name) => common_tls_context?.has(name)))
    fields.problem(`a server needs a certificate: one of ${CERTIFICATES.join(', ')}.`, 'common_tls_context')
  fields.choice('ocsp_staple_policy', ['LENIENT_STAPLING'], 'LENIENT_STAPLING')
  const timeoutMs = fields.durationMs('session_timeout', SESSION_TIMEOUT_MS)
  const tickets = !fields.boolean('disable_stateless_session_resumption')
  const context: ServerTlsContext = {
    ...common,
    ...(exchanges && { alpn: exchangingAlpn }),
    requireClientCertificate: fields.boolean('require_client_certificate'),
    prefersClientCiphers: fields.boolean('prefer_client_ciphers'),
    requiresServerName: fields.boolean('require_sni'),
    scansAllCertificates: fields.boolean('full_scan_certs_on_sni_mismatch'),
    sessionTimeoutS: tickets ? Math.floor(timeoutMs / 1000) : 0,
  }
  fields.done({
    disable_stateful_session_resumption: 'sessions are kept by clients only',
  })
  return context
}

export function compileClientTls(fields: Fields<UpstreamTlsContext>, deps: CompileDeps): ClientTlsContext {
  // Envoy's clients stop at TLS 1.2 unless told otherwise.
  const common_tls_context = fields.message('common_tls_context')
  const common = compileCommon(common_tls_context, deps, 'TLSv1.2')
  if (CERTIFICATES.some((name) => (common_tls_context?.messages(name).length ?? 0) > 1))
    fields.problem('a client has one certificate at most.', 'common_tls_context')
  const sni = fields.string('sni')
  if (sni.includes('\0')) fields.problem('holds a NUL.', 'sni')
  const resumes = fields.number('max_session_keys', 1) > 0
  fields.done({
    allow_renegotiation: 'there is none in TLS 1.3, and no server may ask for it here',
    enforce_rsa_key_usage: 'the TLS library decides',
  })
  const { exchangingAlpn, ...rest } = common
  const context = { ...rest, resumes, ...(sni !== '' && { sni }) }
  return exchangingAlpn.includes(PEER_EXCHANGE) ? { ...context, exchanging: { ...context, alpn: exchangingAlpn } } : context
}

/** `exchangingAlpn`: as configured. `alpn`: without the promise of Istio's TCP metadata exchange, which only some connections keep. */
type Common = Omit<ClientTlsContext, 'sni'> & { readonly exchangingAlpn: readonly string[] }

function compileCommon(fields: Fields<CommonTlsContext> | undefined, deps: CompileDeps, highest: 'TLSv1.2' | 'TLSv1.3'): Common {
  if (fields === undefined)
    return { material: compileMaterial(undefined, {}, deps), ...alpnOf([]), minVersion: 'TLSv1.2', maxVersion: highest }
  const { source, rules } = compileValidation(fields, deps)
  const common: Common = {
    material: compileMaterial(fields, source, deps),
    ...alpnOf(compileAlpn(fields)),
    ...compileTlsTerms(fields.message('tls_params'), highest),
    ...(rules && { rules }),
  }
  fields.done()
  return common
}

function compileAlpn(fields: Fields<CommonTlsContext>): readonly string[] {
  const protocols = fields.strings('alpn_protocols')
  if (protocols.some((protocol) => protocol === '' || Buffer.byteLength(protocol) > LONGEST_PROTOCOL))
    fields.problem(`each must have 1 to ${LONGEST_PROTOCOL} octets.`, 'alpn_protocols')
  return protocols
}

function alpnOf(protocols: readonly string[]): Pick<Common, 'alpn' | 'exchangingAlpn'> {
  return { alpn: protocols.filter((protocol) => protocol !== PEER_EXCHANGE), exchangingAlpn: protocols }
}

interface Validation {
  readonly source: ValidationSource
  readonly rules?: PeerRules
}

function compileValidation(fields: Fields<CommonTlsContext>, deps: CompileDeps): Validation {
  const combined = fields.message('combined_validation_context')
  if (combined !== undefined) {
    const defaults = combined.message('default_validation_context')
    const secret = combined.message('validation_context_sds_secret_config')
    const own: Omit<Secret, 'name'> = defaults === undefined ? {} : compileValidationContext(defaults, deps)
    combined.done()
    if (secret === undefined) return { source: { inline: own } }
    // What SDS brings is merged into the default: its anchors and lists replace, its rules are joined.
    const { rules, ...inline } = own
    return { source: { secret: secretName(secret), inline }, ...(rules && { rules }) }
  }
  const secret = fields.message('validation_context_sds_secret_config')
  if (secret !== undefined) return { source: { secret: secretName(secret) } }
  const validation = fields.message('validation_context')
  if (validation === undefined) return { source: {} }
  const inline = compileValidationContext(validation, deps)
  if (inline.trustBundle === undefined) refuseWithoutTrust(validation, inline)
  return { source: { inline } }
}

/** What means something of certificates only that somebody has vouched for. */
function refuseWithoutTrust(fields: Fields<CertificateValidationContext>, { crl, rules }: Omit<Secret, 'name'>): void {
  if (fields.has('trusted_ca')) return
  if (crl !== undefined) fields.problem('says nothing without trusted_ca.', 'crl')
  if (rules?.allowExpired === true) fields.problem('says nothing without trusted_ca.', 'allow_expired_certificate')
  if ((rules?.names.length ?? 0) > 0)
    fields.problem('anybody can claim names: without trusted_ca they are worth nothing.', 'match_typed_subject_alt_names')
}
