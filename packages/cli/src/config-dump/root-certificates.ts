import { X509Certificate } from 'node:crypto'
import { InputError } from '../command.js'
import type { DumpedSecret } from './read.js'
import { textOf } from './secrets.js'

/** A certificate that a proxy trusts. */
export interface RootCertificate {
  readonly subject: string
  /** Lower-case hex. */
  readonly serial: string
  /** RFC 3339. */
  readonly notAfter: string
  /** Of the whole certificate, colon-separated hex. */
  readonly sha256: string
}

/** Istio's name of the secret with the certificates that a workload trusts. */
const ROOT_CA = 'ROOTCA'

/** The certificates of the secret `ROOTCA`. Throws an InputError, which names `from`, where there are none. */
export function rootCertificates(secrets: readonly DumpedSecret[], from: string): readonly RootCertificate[] {
  const secret = secrets.find(({ name }) => name === ROOT_CA)?.secret
  const pem = textOf(secret?.validation_context?.trusted_ca)
  const blocks = pem?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0)
    throw new InputError(`${from} has no secret ${ROOT_CA} with certificates: is it a proxy with an identity?`)
  return blocks.map((block) => describe(block, from))
}

function describe(pem: string, from: string): RootCertificate {
  try {
    const { subject, serialNumber, validTo, fingerprint256 } = new X509Certificate(pem)
    const notAfter = new Date(validTo).toISOString().replace('.000Z', 'Z')
    return { subject, serial: serialNumber.toLowerCase(), notAfter, sha256: fingerprint256 }
  } catch (error) {
    throw new InputError(`${from}: ${ROOT_CA}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
