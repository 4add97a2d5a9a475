import type { CertificateValidationContext } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { PeerRules } from '../net/peer-rules.js'
import { crlProblem, trustProblem } from '../net/pem-problems.js'
import { pemBlocks } from '../net/x509/pem.js'
import type { Secret } from './compiled.js'
import { compileDataSource, type DataSourceReads } from './data-source.js'
import type { Fields } from './fields.js'
import { compileSanMatchers } from './san-matchers.js'

/** A validation context, from a TLS context or from SDS: its trust anchors, revocation lists and rules. */
export function compileValidationContext(
  fields: Fields<CertificateValidationContext>,
  reads: DataSourceReads,
): Omit<Secret, 'name'> {
  const { trustBundle, crl } = compileTrust(fields, reads)
  const rules: PeerRules = {
    names: compileSanMatchers(fields),
    hashes: fields.strings('verify_certificate_hash').map((text) => compileHash(text, fields)),
    spkis: fields.strings('verify_certificate_spki').map((text) => compileSpki(text, fields)),
    allowExpired: fields.boolean('allow_expired_certificate'),
    acceptUntrusted:
      fields.choice('trust_chain_verification', ['VERIFY_TRUST_CHAIN', 'ACCEPT_UNTRUSTED'], 'VERIFY_TRUST_CHAIN') ===
      'ACCEPT_UNTRUSTED',
  }
  if (rules.allowExpired && crl !== undefined)
    fields.problem('cannot be combined with crl: an expired certificate is on no list any more.', 'allow_expired_certificate')
  fields.done({ watched_directory: 'files are read once, when the resource is compiled' })
  return {
    ...(trustBundle !== undefined && { trustBundle }),
    ...(crl !== undefined && { crl }),
    ...(hasRules(rules) && { rules }),
  }
}

/** Lists of revocation may stand among the trust anchors, too (X509_load_cert_crl_file). */
function compileTrust(fields: Fields<CertificateValidationContext>, reads: DataSourceReads): Pick<Secret, 'trustBundle' | 'crl'> {
  const trusted = compileDataSource(fields.message('trusted_ca'), reads)
  const revoked = compileDataSource(fields.message('crl'), reads) ?? ''
  const among = pemBlocks(trusted ?? '', 'X509 CRL')
  const untrusted = trusted === undefined ? undefined : (trustProblem(trusted) ?? (among.length > 0 && crlProblem(trusted)))
  if (untrusted) fields.problem(untrusted, 'trusted_ca')
  const unread = revoked === '' ? undefined : crlProblem(revoked)
  if (unread !== undefined) fields.problem(unread, 'crl')
  const lists = [...among, ...pemBlocks(revoked, 'X509 CRL')]
  return {
    ...(trusted !== undefined && { trustBundle: among.length > 0 ? pemBlocks(trusted, 'CERTIFICATE').join('\n') : trusted }),
    ...(lists.length > 0 && { crl: lists.join('\n') }),
  }
}

function hasRules(rules: PeerRules): boolean {
  return rules.names.length + rules.hashes.length + rules.spkis.length > 0 || rules.allowExpired || rules.acceptUntrusted
}

/** As `openssl x509 -fingerprint -sha256` prints it, or without colons. */
function compileHash(text: string, fields: Fields<CertificateValidationContext>): string {
  const hash = text.replaceAll(':', '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hash)) fields.problem(`${JSON.stringify(text)} is no SHA-256 in hex.`, 'verify_certificate_hash')
  return hash
}

function compileSpki(text: string, fields: Fields<CertificateValidationContext>): string {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text))
    fields.problem(`${JSON.stringify(text)} is no SHA-256 in base64.`, 'verify_certificate_spki')
  return text
}
