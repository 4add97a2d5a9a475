import type { SubjectAltName } from './extensions.js'
import { readX509 } from './x509.js'

/**
 * The alternative names of a certificate by type, from its DER: never from text, in which one name can pretend to be another
 * (CVE-2021-44531 to -44533). None when any of them, or the certificate, is not in order.
 */
export function readNames(der: Uint8Array): readonly SubjectAltName[] {
  const read = readX509(der)
  return read.ok ? read.value.names : []
}
