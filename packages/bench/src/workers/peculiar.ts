import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { systemClock } from '@heddle/runtime'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const ISSUER = 'O=cluster.local'

/** A CA on @peculiar/x509 with WebCrypto: request parsed and verified, leaf issued and signed. */
export async function createPeculiar(): Promise<(csr: string) => Promise<readonly string[]>> {
  cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const notBefore = new Date(systemClock.now() - 120_000)
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: ISSUER,
    notBefore,
    notAfter: new Date(systemClock.now() + 3650 * 86_400_000),
    signingAlgorithm: P256,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const rootPem = `${root.toString('pem')}\n`
  let serial = 2
  return async (pem) => {
    const request = new Pkcs10CertificateRequest(pem)
    if (!(await request.verify())) throw new Error('the request is not signed by its own key')
    const leaf = await X509CertificateGenerator.create({
      serialNumber: `01${(serial++).toString(16).padStart(16, '0')}`,
      subject: '',
      issuer: ISSUER,
      notBefore,
      notAfter: new Date(systemClock.now() + 86_400_000),
      signingAlgorithm: P256,
      publicKey: request.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']),
        new BasicConstraintsExtension(false, undefined, true),
        new SubjectAlternativeNameExtension([{ type: 'url', value: 'spiffe://cluster.local/ns/shop/sa/cart' }], true),
      ],
    })
    return [`${leaf.toString('pem')}\n`, rootPem]
  }
}
