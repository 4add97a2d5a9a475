import forge from 'node-forge'

/** A key and a certificate in PEM. */
export interface Issued {
  readonly key: Buffer
  readonly certificate: Buffer
}

export interface TestAuthority {
  readonly root: Buffer
  issue(names: { readonly uri?: string; readonly uris?: readonly string[]; readonly dns?: string }): Issued
}

const URI = 6
const DNS = 2

/** A throw-away authority; 2048-bit RSA, because node-forge makes nothing faster. */
export function createTestAuthority(): TestAuthority {
  const keys = forge.pki.rsa.generateKeyPair(2048)
  const subject = [{ name: 'commonName', value: 'test root' }]
  let serial = 1
  const certify = (publicKey: forge.pki.PublicKey, extensions: object[], name: object[]): forge.pki.Certificate => {
    const certificate = forge.pki.createCertificate()
    certificate.publicKey = publicKey
    certificate.serialNumber = String(serial++).padStart(4, '0')
    certificate.validity.notBefore = new Date(Date.now() - 60_000)
    certificate.validity.notAfter = new Date(Date.now() + 3_600_000)
    certificate.setSubject(name as forge.pki.CertificateField[])
    certificate.setIssuer(subject)
    certificate.setExtensions(extensions)
    certificate.sign(keys.privateKey, forge.md.sha256.create())
    return certificate
  }
  const root = certify(keys.publicKey, [{ name: 'basicConstraints', cA: true, critical: true }], subject)
  return {
    root: Buffer.from(forge.pki.certificateToPem(root)),
    issue({ uri, uris = uri === undefined ? [] : [uri], dns }) {
      const own = forge.pki.rsa.generateKeyPair(2048)
      const altNames = [...uris.map((value) => ({ type: URI, value })), ...(dns === undefined ? [] : [{ type: DNS, value: dns }])]
      const certificate = certify(own.publicKey, [{ name: 'subjectAltName', altNames }], [])
      return {
        key: Buffer.from(forge.pki.privateKeyToPem(own.privateKey)),
        certificate: Buffer.from(forge.pki.certificateToPem(certificate)),
      }
    },
  }
}
