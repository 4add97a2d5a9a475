import type { TlsParameters } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { TlsTerms } from '../net/tls.js'
import { isKnown, type TermList } from '../net/tls-terms.js'
import type { Fields } from './fields.js'

const VERSIONS = { TLS_AUTO: undefined, TLSv1_2: 'TLSv1.2', TLSv1_3: 'TLSv1.3' } as const
const VERSION_NAMES = ['TLS_AUTO', 'TLSv1_2', 'TLSv1_3'] as const

/** BoringSSL's ssl_compliance_policy_fips_202205; all of it, whatever else is asked for. */
const FIPS_202205: TlsTerms = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
  suites: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
  curves: 'P-256:P-384',
  signatureAlgorithms:
    'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512:ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384',
}

/** `highest`: the version that a side speaks unless told otherwise. What OpenSSL does not know is refused, as BoringSSL does. */
export function compileTlsTerms(fields: Fields<TlsParameters> | undefined, highest: TlsTerms['maxVersion']): TlsTerms {
  if (fields === undefined) return { minVersion: 'TLSv1.2', maxVersion: highest }
  const named = fields.strings('cipher_suites').flatMap((suite) => suite.replace(/[[\]]/g, '').split('|'))
  // As BoringSSL: those of TLS 1.3 are not for choosing, yet may be named beside others.
  const chosen = named.filter((suite) => !suite.startsWith('TLS_'))
  if (named.length > 0 && chosen.length === 0) fields.problem('none of TLS 1.2 is named.', 'cipher_suites')
  const asked: TlsTerms = {
    minVersion: VERSIONS[fields.choice('tls_minimum_protocol_version', VERSION_NAMES, 'TLS_AUTO')] ?? 'TLSv1.2',
    maxVersion: VERSIONS[fields.choice('tls_maximum_protocol_version', VERSION_NAMES, 'TLS_AUTO')] ?? highest,
    ...listOf(fields, 'cipher_suites', 'ciphers', chosen),
    ...listOf(fields, 'ecdh_curves', 'curves', fields.strings('ecdh_curves')),
    ...listOf(fields, 'signature_algorithms', 'signatureAlgorithms', fields.strings('signature_algorithms')),
  }
  const policies = fields.strings('compliance_policies')
  if (policies.some((policy) => policy !== 'FIPS_202205')) fields.problem('only FIPS_202205 is supported.', 'compliance_policies')
  fields.done()
  const terms = policies.length > 0 ? FIPS_202205 : asked
  if (terms.minVersion > terms.maxVersion) fields.problem('the lowest version is above the highest.')
  return terms
}

function listOf(
  fields: Fields<TlsParameters>,
  field: 'cipher_suites' | 'ecdh_curves' | 'signature_algorithms',
  kind: TermList,
  names: readonly string[],
): Partial<TlsTerms> {
  if (names.length === 0) return {}
  const list = names.join(':')
  // OpenSSL is content with one cipher that it knows, BoringSSL is not.
  const unknown = kind === 'ciphers' ? names.filter((name) => !isKnown(kind, name)) : isKnown(kind, list) ? [] : names
  if (unknown.length > 0) fields.problem(`OpenSSL of this Node cannot do with ${unknown.join(', ')}.`, field)
  return { [kind]: list }
}
