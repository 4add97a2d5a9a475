import { createPublicKey } from 'node:crypto'
import { createCsr, createKey, createSelfSignedAuthority, fromPem, type KeyAlgorithm, toPem, workloadGrant } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import forge from 'node-forge'
import { createPeculiar } from './peculiar.js'
import { serveWork } from './work.js'

// usage: (ours | forge | peculiar) ALGORITHM. Certificate requests to chains, one after the other.

export interface ShownChain {
  /** Leaf first. */
  readonly chain: readonly string[]
  /** The request's key, SubjectPublicKeyInfo in PEM. */
  readonly publicKey: string
}

const [maker = '', algorithm = 'P-256'] = process.argv.slice(2)
const who = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' }
const keys = await Promise.all(Array.from({ length: 4 }, () => createKey(algorithm as KeyAlgorithm)))
const requests = keys.map((key) => toPem('CERTIFICATE REQUEST', createCsr(key)))

async function createOurs(): Promise<(csr: string) => Promise<readonly string[]>> {
  const authority = await createSelfSignedAuthority({ clock: systemClock, algorithm: algorithm as KeyAlgorithm })
  return async (csr) => [
    ...(await authority.sign(fromPem('CERTIFICATE REQUEST', csr)[0]!, workloadGrant(who))),
    ...authority.trustBundle.current,
  ]
}

/** Node makes forge's key: its own generator takes seconds. */
async function createForge(): Promise<(csr: string) => readonly string[]> {
  const { pki, md } = forge
  const privateKey = pki.privateKeyFromPem(
    (await createKey('RSA-2048')).export({ type: 'pkcs1', format: 'pem' }).toString(),
  ) as forge.pki.rsa.PrivateKey
  const root = pki.createCertificate()
  const issuer = [{ name: 'organizationName', value: 'cluster.local' }]
  const fill = (certificate: forge.pki.Certificate, serial: number, days: number, extensions: object[]): string => {
    certificate.serialNumber = `01${serial.toString(16).padStart(16, '0')}`
    certificate.validity.notBefore = new Date(systemClock.now() - 120_000)
    certificate.validity.notAfter = new Date(systemClock.now() + days * 86_400_000)
    certificate.setIssuer(issuer)
    certificate.setExtensions(extensions)
    certificate.sign(privateKey, md.sha256.create())
    return pki.certificateToPem(certificate)
  }
  root.publicKey = pki.setRsaPublicKey(privateKey.n, privateKey.e)
  root.setSubject(issuer)
  const rootPem = fill(root, 0, 3650, [{ name: 'basicConstraints', cA: true, critical: true }])
  let serial = 1
  return (pem) => {
    const request = pki.certificationRequestFromPem(pem)
    if (!request.verify()) throw new Error('the request is not signed by its own key')
    const leaf = pki.createCertificate()
    leaf.publicKey = request.publicKey as forge.pki.PublicKey
    const leafPem = fill(leaf, serial++, 1, [
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'subjectAltName', critical: true, altNames: [{ type: 6, value: 'spiffe://cluster.local/ns/shop/sa/cart' }] },
    ])
    return [leafPem, rootPem]
  }
}

const makers: Readonly<Record<string, () => Promise<(csr: string) => readonly string[] | Promise<readonly string[]>>>> = {
  ours: createOurs,
  forge: createForge,
  peculiar: createPeculiar,
}
const make = makers[maker]
if (make === undefined) throw new Error(`there is no ${maker}`)
const sign = await make()
const first: ShownChain = {
  chain: await sign(requests[0]!),
  publicKey: createPublicKey(keys[0]!).export({ type: 'spki', format: 'pem' }).toString(),
}
let next = 0
await serveWork({
  show: () => first,
  async run() {
    await sign(requests[next++ % requests.length]!)
  },
})
