import { X509Certificate } from 'node:crypto'
import type { DataSource } from '@heddle/xds-types/envoy/config/core/v3'
import type { DumpedSecret } from './read.js'

/** `istioctl proxy-config secret`. `now`: wall-clock milliseconds, against which a certificate is valid. */
export function secretTable(secrets: readonly DumpedSecret[], now: number): string[][] {
  const table = [['RESOURCE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE']]
  for (const { name, status, secret } of secrets) {
    const chain = secret.tls_certificate?.certificate_chain
    const certificate = firstCertificate(chain ?? secret.validation_context?.trusted_ca)
    const type = chain === undefined ? 'CA' : 'Cert Chain'
    table.push([name, type, status, ...describe(certificate, now)])
  }
  return table
}

function describe(certificate: X509Certificate | undefined, now: number): string[] {
  if (certificate === undefined) return ['false', '', '', '']
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)]
  const valid = from.getTime() <= now && now <= to.getTime()
  return [String(valid), certificate.serialNumber.toLowerCase(), iso(to), iso(from)]
}

function iso(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z')
}

function firstCertificate(source: DataSource | undefined): X509Certificate | undefined {
  const pem = textOf(source)
  try {
    return pem === undefined ? undefined : new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** PEM as it stands in a dump; undefined when it is elsewhere. */
export function textOf({ inline_bytes: bytes, inline_string: text }: DataSource = {}): string | undefined {
  return text ?? (typeof bytes === 'string' ? Buffer.from(bytes, 'base64').toString('latin1') : undefined)
}
