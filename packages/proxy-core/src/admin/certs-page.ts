import { X509Certificate } from 'node:crypto'
import type { Secret } from '../config/compiled.js'
import { json, type Page } from './page.js'

const DAY_MS = 24 * 60 * 60 * 1000

export const certs: Page = {
  path: '/certs',
  help: 'print certs on machine',
  answer: (_, views) => json({ certificates: views.secrets.map((secret) => ofSecret(secret, views.now())) }),
}

function ofSecret(secret: Secret, now: number): object {
  const path = `<inline: ${secret.name}>`
  return {
    ca_cert: splitPem(secret.trustBundle).map((pem) => details(pem, path, now)),
    cert_chain: splitPem(secret.certificateChain).map((pem) => details(pem, path, now)),
  }
}

function splitPem(bundle: string | undefined): string[] {
  return bundle?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

function details(pem: string, path: string, now: number): object {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (error) {
    return { path, error: String(error) }
  }
  const expiry = Date.parse(certificate.validTo)
  return {
    path,
    serial_number: certificate.serialNumber.toLowerCase(),
    subject_alt_names: (certificate.subjectAltName ?? '').split(', ').flatMap(subjectAltName),
    days_until_expiration: String(Math.max(0, Math.floor((expiry - now) / DAY_MS))),
    valid_from: new Date(Date.parse(certificate.validFrom)).toISOString().replace('.000Z', 'Z'),
    expiration_time: new Date(expiry).toISOString().replace('.000Z', 'Z'),
  }
}

const KINDS: Readonly<Record<string, string>> = { URI: 'uri', DNS: 'dns', 'IP Address': 'ip_address' }

/** Node writes `URI:spiffe://…`, and quotes a name in JSON when it holds what could be mistaken for another. */
function subjectAltName(entry: string): object[] {
  const colon = entry.indexOf(':')
  const kind = KINDS[entry.slice(0, colon)]
  if (kind === undefined) return []
  const value = entry.slice(colon + 1)
  return [{ [kind]: value.startsWith('"') ? JSON.parse(value) : value }]
}
