import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@heddle/runtime'
import forge from 'node-forge'
import type { RoundContext } from '../../bench-case.js'
import { typed } from './typed.js'

const DAY_MS = 86_400_000

/** A certificate that signs itself, and its key, as PEM files. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Both in one file, as haproxy wants them. */
  readonly both: string
}

/** RSA 2048, as most servers on the web have. */
export async function writeCertificate({ folder }: RoundContext): Promise<CertificateFiles> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString())
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(systemClock.now() - DAY_MS)
  certificate.validity.notAfter = new Date(systemClock.now() + DAY_MS)
  const subject = [{ shortName: 'CN', value: 'localhost' }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }])
  certificate.sign(forge.pki.privateKeyFromPem(key), forge.md.sha256.create())
  const pem = forge.pki.certificateToPem(certificate)
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), both: join(folder, 'tls.pem') }
  await Promise.all([writeFile(files.certificate, pem), writeFile(files.key, key), writeFile(files.both, pem + key)])
  return files
}

/** A transport socket that ends TLS with it. */
export function downstreamTls({ certificate, key }: CertificateFiles, alpn_protocols: readonly string[]): object {
  const tls_certificates = [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }]
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: { tls_certificates, ...(alpn_protocols.length === 0 ? {} : { alpn_protocols }) },
    }),
  }
}
