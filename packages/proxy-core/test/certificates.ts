import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

/** PEM of a certificate and its key. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

let serial = 1

interface Request {
  readonly commonName: string
  readonly uris?: readonly string[]
  readonly dns?: readonly string[]
  readonly ips?: readonly string[]
  readonly ca?: boolean
  /** Of the extended key usage: both by default. */
  readonly usage?: 'client' | 'server'
  /** Hours after now when it ends; 1 by default. */
  readonly hours?: number
  /** With identifiers of keys, as RFC 5280 wants them. */
  readonly identified?: boolean
}

/** A certificate of an hour, by `issuer` or by itself. */
export function issue(request: Request, issuer?: Identity): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString())
  certificate.serialNumber = (serial++).toString(16).padStart(2, '0')
  certificate.validity.notBefore = new Date(Date.now() - 7_200_000)
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000 * (request.hours ?? 1))
  const subject = [
    { shortName: 'O', value: 'Heddle' },
    { shortName: 'CN', value: request.commonName },
  ]
  certificate.setSubject(subject)
  certificate.setIssuer(issuer === undefined ? subject : forge.pki.certificateFromPem(issuer.certificate).subject.attributes)
  const altNames = [
    ...(request.uris ?? []).map((value) => ({ type: 6, value })),
    ...(request.dns ?? []).map((value) => ({ type: 2, value })),
    ...(request.ips ?? []).map((ip) => ({ type: 7, ip })),
  ]
  certificate.setExtensions([
    { name: 'basicConstraints', cA: request.ca === true, critical: true },
    request.ca === true
      ? { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
      : { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    ...(request.ca === true
      ? []
      : [{ name: 'extKeyUsage', serverAuth: request.usage !== 'client', clientAuth: request.usage !== 'server' }]),
    ...(request.identified === true ? keyIdentifiers(certificate, issuer) : []),
    ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
  ])
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.key ?? key), forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate), key }
}

function keyIdentifiers(certificate: forge.pki.Certificate, issuer: Identity | undefined): object[] {
  const { publicKey } = issuer === undefined ? certificate : forge.pki.certificateFromPem(issuer.certificate)
  const keyIdentifier = forge.pki
    .getPublicKeyFingerprint(publicKey as forge.pki.rsa.PublicKey, { type: 'RSAPublicKey' })
    .getBytes()
  return [{ name: 'subjectKeyIdentifier' }, ...(issuer === undefined ? [] : [{ name: 'authorityKeyIdentifier', keyIdentifier }])]
}

export function spiffe(serviceAccount: string): string {
  return `spiffe://cluster.local/ns/default/sa/${serviceAccount}`
}
